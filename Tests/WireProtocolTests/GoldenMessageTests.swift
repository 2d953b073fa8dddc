import Environments
import Foundation
import Testing

import WireProtocol

/// The messages in `Tests/Fixtures/wire`, which another language wrote.
struct GoldenMessage: Decodable, Sendable, CustomTestStringConvertible {
  /// A payload is one array, or several, one after the other.
  struct Column: Decodable {
    enum Value: Decodable {
      case number(Double)
      case text(String)

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self =
          try (try? container.decode(Double.self)).map(Value.number) ?? .text(container.decode(String.self))
      }

      func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        switch self {
        case .number(let number): Number(number)
        case .text(let text): Number(text)!
        }
      }

      var float: Float {
        if case .number(let number) = self { Float(number) } else { .nan }
      }
    }
    var type: String
    var values: [Value]

    var bytes: [UInt8] {
      switch type {
      case "u8": Frame(values.map { $0.integer(UInt8.self) }).bytes
      case "i32": Frame(values.map { $0.integer(Int32.self) }).bytes
      case "u32": Frame(values.map { $0.integer(UInt32.self) }).bytes
      case "i64": Frame(values.map { $0.integer(Int64.self) }).bytes
      case "u64": Frame(values.map { $0.integer(UInt64.self) }).bytes
      default: Frame(values.map(\.float)).bytes
      }
    }
  }

  var name: String
  var operation: UInt8
  var status: UInt8
  var reply: Bool
  var retryAfter: UInt32
  var epoch: String
  var session: String
  var sequence: String
  var nonce: String
  var metadata: String
  var payloads: [[Column]]

  var testDescription: String { name }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/wire")
  static let all: [GoldenMessage] = {
    let data = try! Data(contentsOf: folder.appending(path: "messages.json"))
    return try! JSONDecoder().decode([GoldenMessage].self, from: data)
  }()

  static func named(_ name: String) throws -> Message {
    try Message(frames: try #require(all.first { $0.name == name }).frames())
  }

  /// The frames of the `.bin` file.
  func frames() throws -> [Frame] {
    var rest = try [UInt8](Data(contentsOf: GoldenMessage.folder.appending(path: "\(name).bin")))[...]
    var frames: [Frame] = []
    while !rest.isEmpty {
      let size = rest.prefix(4).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
      frames.append(Frame(rest.dropFirst(4).prefix(size)))
      rest = rest.dropFirst(4 + size)
    }
    return frames
  }

  /// The message as its description says it.
  var described: Message {
    var envelope = Envelope(
      Operation(rawValue: operation)!, epoch: UInt64(epoch, radix: 16)!, session: identifier(session),
      sequence: UInt64(sequence)!, nonce: identifier(nonce))
    envelope.statusCode = status
    envelope.isReply = reply
    envelope.retryAfterMilliseconds = retryAfter
    let payloads = payloads.map { arrays in Frame(arrays.flatMap(\.bytes)) }
    return Message(envelope, metadata: Frame(metadata.utf8), payloads: payloads)
  }

  private func identifier(_ hex: String) -> Identifier {
    func number(_ text: Substring) -> UInt64 { UInt64(text, radix: 16)!.byteSwapped }
    return Identifier(first: number(hex.prefix(16)), second: number(hex.suffix(16)))
  }
}

@Suite struct GoldenMessageTests {
  @Test(arguments: GoldenMessage.all) func writesTheSameBytes(_ golden: GoldenMessage) throws {
    #expect(golden.described.frames.map(\.bytes) == (try golden.frames().map(\.bytes)))
  }

  @Test(arguments: GoldenMessage.all) func readsWhatWasDescribed(_ golden: GoldenMessage) throws {
    let message = try Message(frames: try golden.frames())
    let described = golden.described
    #expect(message.envelope == described.envelope)
    #expect(message.metadata.bytes == described.metadata.bytes)
    #expect(message.payloads.map(\.bytes) == described.payloads.map(\.bytes))
  }

  @Test func readsRequests() throws {
    #expect(
      try StepRequest(reading: .golden("step-request")) == StepRequest(slots: [0, 1], actions: [5, -1]))
    #expect(try StepRequest(reading: .golden("step-request-all")) == StepRequest(actions: [7]))
    #expect(try ResetRequest(reading: .golden("reset-request-plain")) == ResetRequest())
    let prompt = Prompt(height: 1, width: 2, pixels: [10, 20, 30, 40, 50, 60])
    let full = ResetRequest(
      slots: [1, 0], options: [ResetOptions(seed: .max, prompt: prompt), ResetOptions(level: -3)])
    #expect(try ResetRequest(reading: .golden("reset-request-full")) == full)
    let open = try Message.golden("open-request").json(as: OpenRequest.self)
    #expect(open.openOptions == OpenOptions(auxiliaries: ["entropy"], horizon: 9))
    #expect(try SlotsRequest(reading: .golden("close-request")).slots.isEmpty)
    #expect(try SlotsRequest(reading: .golden("fork-request")).slots == [0, 0, 1])
    let restore = RestoreRequest(slots: [1, 0], blobs: [[7, 8], [9]])
    #expect(try RestoreRequest(reading: .golden("restore-request")) == restore)
    let snapshot = try Message.golden("snapshot-reply")
    #expect(try Blobs(lengths: snapshot.payloads[0], bytes: snapshot.payloads[1]).blobs == [[7, 8], [9]])
    #expect(try Message.golden("resume-reply").json(as: ResumeReply.self).accepted == 7)
  }

  @Test func readsBatches() throws {
    var batch = StepBatch(observationSpace: Box(height: 1, width: 1))
    try BatchReply.read(.golden("step-reply"), count: 2, auxiliaries: ["entropy"], into: &batch)
    #expect(batch.observations == [0, 127, 255, 1, 2, 3])
    #expect(batch.rewards == [0.5, -2.25])
    #expect(batch.terminated == [true, false])
    #expect(batch.truncated == [false, true])
    #expect(batch.faults == [nil, nil])
    #expect(batch.auxiliaries == ["entropy": [1.5, 0]])
    batch = StepBatch(observationSpace: Box(height: 1, width: 1))
    try BatchReply.read(.golden("step-reply-fault"), count: 2, auxiliaries: [], into: &batch)
    #expect(batch.faults == [nil, .invalidAction(-1, count: 6)])
  }

  @Test func batchesSurviveTheRoundTrip() throws {
    let golden = try Message.golden("step-reply-fault")
    var batch = StepBatch(observationSpace: Box(height: 1, width: 1))
    try BatchReply.read(golden, count: 2, auxiliaries: [], into: &batch)
    batch.setAuxiliary("value", row: 1, 3)
    let message = BatchReply.message(golden.envelope, batch, rows: 1..<2, auxiliaries: ["none", "value"])
    var row = StepBatch(observationSpace: Box(height: 1, width: 1))
    try BatchReply.read(message, count: 1, auxiliaries: ["none", "value"], into: &row)
    #expect(row.observations == [1, 2, 3])
    #expect(row.faults == [.invalidAction(-1, count: 6)])
    #expect(row.auxiliaries["value"] == [3])
    #expect(row.auxiliaries["none"]?[0].isNaN == true)
  }
}

extension Message {
  fileprivate static func golden(_ name: String) throws -> Message { try GoldenMessage.named(name) }
}
