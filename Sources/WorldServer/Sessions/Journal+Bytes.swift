import Foundation
import WireProtocol

/// The file of a session: records, each a count of frames (u32) and every frame with its length (u32). The first
/// is the state, the others are requests as they came, and after an open or a fork its answer.
extension Journal {
  private struct Head: Codable {
    var base: Base
    var blobs: Int
    var reply: Int
  }

  static func record(_ frames: [Frame]) -> Data {
    var data = Data(capacity: 4 + frames.reduce(0) { $0 + 4 + $1.byteCount })
    append(frames.count, to: &data)
    for frame in frames { append(frame, to: &data) }
    return data
  }

  /// A frame with its length.
  static func field(_ frame: Frame) -> Data {
    var data = Data(capacity: 4 + frame.byteCount)
    append(frame, to: &data)
    return data
  }

  /// The beginning of the first record: its count of frames, and JSON. The snapshots follow, one for each number,
  /// then the frames of the last reply, each a ``field(_:)``.
  static func head(_ base: Base, replyFrames: Int) -> Data {
    let head = Head(base: base, blobs: base.numbers.count, reply: replyFrames)
    guard let json = try? JSONEncoder().encode(head) else { preconditionFailure("no JSON for \(head)") }
    var data = Data()
    append(1 + head.blobs + head.reply, to: &data)
    append(Frame(json), to: &data)
    return data
  }

  private static func append(_ count: Int, to data: inout Data) {
    withUnsafeBytes(of: UInt32(count).littleEndian) { data.append(contentsOf: $0) }
  }

  private static func append(_ frame: Frame, to data: inout Data) {
    append(frame.byteCount, to: &data)
    frame.withUnsafeBytes { data.append(contentsOf: $0) }
  }

  /// - Throws: ``JournalError/damaged`` where the first record is not whole; a last one that is not is left
  ///   out.
  init(reading data: Data) throws(JournalError) {
    var rest = data[...]
    guard let first = Self.take(&rest), let json = first.first,
      let head = try? JSONDecoder().decode(Head.self, from: Data(json.bytes)),
      // The numbers are bounded before they are added up.
      head.blobs == head.base.numbers.count, head.blobs == head.base.options.count,
      (0...32).contains(head.reply), first.count == 1 + head.blobs + head.reply,
      // Whoever asks for the last reply again has to be given one.
      head.reply > 0 || head.base.accepted == 0
    else { throw .damaged }
    base = head.base
    blobs = first[1..<1 + head.blobs].map(\.bytes)
    reply = Array(first[(1 + head.blobs)...])
    while let frames = Self.take(&rest) {
      guard let message = try? Message(frames: frames, limits: .unlimited) else { throw .damaged }
      if !message.envelope.isReply {
        requests.append(Request(message: message))
      } else if !requests.isEmpty {
        requests[requests.count - 1].answer = message
      } else {
        throw .damaged
      }
    }
    byteCount = data.count - rest.count
  }

  private static func take(_ data: inout Data.SubSequence) -> [Frame]? {
    var rest = data
    func number() -> Int? {
      guard rest.count >= 4 else { return nil }
      defer { rest = rest.dropFirst(4) }
      return Int(rest.prefix(4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) })
    }
    guard let count = number() else { return nil }
    var frames: [Frame] = []
    for _ in 0..<count {
      guard let size = number(), size <= rest.count else { return nil }
      frames.append(rest.prefix(size).withUnsafeBytes { Frame(copying: $0) })
      rest = rest.dropFirst(size)
    }
    data = rest
    return frames
  }
}
