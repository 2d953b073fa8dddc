import Environments
import Testing

import WireProtocol

@Suite struct MalformedMessageTests {
  @Test func checksumIsTheOneOfZlib() {
    var sum = CRC32()
    Array("123456789".utf8).withUnsafeBytes { sum.add($0) }
    #expect(sum.value == 0xCBF4_3926)
    var parts = CRC32()
    Array("1234567".utf8).withUnsafeBytes { parts.add($0) }
    Array("89".utf8).withUnsafeBytes { parts.add($0) }
    #expect(parts.value == sum.value)
  }

  @Test(arguments: 0..<Envelope.byteCount) func anyChangedByteIsSeen(_ index: Int) throws {
    let frames = try GoldenMessage.named("step-request").frames
    var head = frames[0].bytes
    head[index] ^= 0x10
    #expect(throws: WireError.self) { try Message(frames: [Frame(head)] + frames.dropFirst()) }
  }

  @Test func lengthsOfPayloadsAreCovered() throws {
    let frames = try GoldenMessage.named("step-request").frames
    #expect(throws: WireError.self) {
      try Message(frames: Array(frames.dropLast()) + [Frame([UInt8](frames[3].bytes) + [0])])
    }
    #expect(throws: WireError.self) { try Message(frames: frames.dropLast()) }
    #expect(throws: WireError.self) { try Message(frames: []) }
    #expect(throws: WireError.self) { try Message(frames: [Frame([1, 2, 3] as [UInt8])]) }
    #expect(throws: WireError.self) {
      try Message(frames: frames + Array(repeating: Frame([] as [UInt8]), count: 99))
    }
  }

  @Test func anotherVersionIsNamed() throws {
    var message = try GoldenMessage.named("hello-request")
    message.envelope.version = 7
    #expect(throws: WireError.unsupportedVersion(7)) { try Message(frames: message.frames) }
  }

  @Test func metadataIsBounded() throws {
    let large = Message(Envelope(.hello), metadata: Frame([UInt8](repeating: 32, count: 70_000)))
    #expect(throws: WireError.tooLarge(what: "metadata bytes", size: 70_000, limit: 65_536)) {
      try Message(frames: large.frames)
    }
    let deep = Message(Envelope(.hello), metadata: Frame([UInt8](repeating: 91, count: 60_000)))
    #expect(throws: WireError.self) { try Message(frames: deep.frames).json(as: HelloRequest.self) }
  }

  @Test func sizesThatOverflowAreRefused() throws {
    var message = try GoldenMessage.named("reset-request-full")
    message.payloads[4] = Frame([UInt32.max, UInt32.max, UInt32.max])
    #expect(throws: WireError.self) { try ResetRequest(reading: message) }
    message.payloads[4] = Frame([0 as UInt32, 0, 0])
    #expect(throws: WireError.self) { try ResetRequest(reading: message) }
  }

  /// What a server describes is worked with only where its numbers allow it.
  @Test func shapesThatNobodyCanWorkWithAreRefused() throws {
    let good = EnvironmentSpecification(
      name: "x", observationSpace: Box(height: 1, width: 1), actionSpace: Discrete(Int(Int32.max)))
    #expect(try good.validated() == good)
    let changes: [(inout EnvironmentSpecification) -> Void] = [
      { $0.actionSpace.count = 0 }, { $0.actionSpace.count = -1 }, { $0.actionSpace.count = 1 << 40 },
      { $0.observationSpace.width = 0 }, { $0.observationSpace.height = .max }, { $0.slotLimit = 0 },
      { $0.frameRate = .nan },
    ]
    for change in changes {
      var bad = good
      change(&bad)
      #expect(throws: EnvironmentError.self) { try bad.validated() }
    }
  }

  /// Mutated messages, with and without a right checksum: they are read or refused, and nothing traps.
  @Test func mutatedMessagesNeverTrap() throws {
    var random = SplitMix(state: 7)
    var read = 0
    var refused = 0
    let goldens = try GoldenMessage.all.map { try GoldenMessage.named($0.name) }
    for _ in 0..<20_000 {
      let golden = goldens.randomElement(using: &random)!
      var parts = golden.frames.map(\.bytes)
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&parts, &random) }
      if Bool.random(using: &random) { parts = withRightChecksum(parts) }
      do {
        readAll(try Message(frames: parts.map { Frame($0) }))
        read += 1
      } catch { refused += 1 }
    }
    #expect(read > 1_000 && refused > 1_000, "read \(read), refused \(refused)")
  }

  private func mutate(_ parts: inout [[UInt8]], _ random: inout SplitMix) {
    guard let part = parts.indices.randomElement(using: &random) else { return parts = [[1, 2, 3]] }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: parts.remove(at: part)
    case 1: parts.insert(parts[part], at: part)
    case 2: parts[part] = parts[part].dropLast(Int.random(in: 0...9, using: &random)) + []
    case 3:
      parts[part] += (0..<Int.random(in: 0...9, using: &random)).map { _ in
        .random(in: 0...255, using: &random)
      }
    case 4: parts[part] = (0..<parts[part].count).map { _ in .random(in: 0...255, using: &random) }
    default:
      guard let byte = parts[part].indices.randomElement(using: &random) else { return }
      parts[part][byte] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
  }

  private func withRightChecksum(_ parts: [[UInt8]]) -> [[UInt8]] {
    guard parts.count >= 2,
      let envelope = try? parts[0].withUnsafeBytes({ try Envelope(reading: $0) })
    else { return parts }
    return Message(envelope, metadata: Frame(parts[1]), payloads: parts.dropFirst(2).map { Frame($0) }).frames
      .map(\.bytes)
  }

  /// Reads the message as everything it could be.
  private func readAll(_ message: Message) {
    _ = try? StepRequest(reading: message)
    _ = try? ResetRequest(reading: message)
    _ = try? SlotsRequest(reading: message)
    _ = try? RestoreRequest(reading: message)
    _ = try? message.json(as: OpenRequest.self)
    _ = try? message.json(as: ErrorDetail.self).error(statusCode: message.envelope.statusCode)
    var batch = StepBatch(observationSpace: Box(height: 1, width: 1))
    try? BatchReply.read(message, count: 2, auxiliaries: ["entropy"], into: &batch)
  }
}

/// A small generator, so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
