import Foundation
import WireProtocol

/// The file of a session: records, each a count of frames (u32) and every frame with its length (u32).
extension Journal {
  private struct Head: Codable {
    var base: Base
    var blobs: Int
    var reply: Int
  }

  static func record(_ frames: [Frame]) -> Data {
    var data = Data(capacity: 4 + frames.reduce(0) { $0 + 4 + $1.byteCount })
    func append(_ count: Int) {
      withUnsafeBytes(of: UInt32(count).littleEndian) { data.append(contentsOf: $0) }
    }
    append(frames.count)
    for frame in frames {
      append(frame.byteCount)
      frame.withUnsafeBytes { data.append(contentsOf: $0) }
    }
    return data
  }

  /// The first record: JSON, then the snapshots, then the frames of the last reply.
  static func record(_ base: Base, blobs: [[UInt8]], reply: [Frame]) -> Data {
    let head = Head(base: base, blobs: blobs.count, reply: reply.count)
    guard let json = try? JSONEncoder().encode(head) else { preconditionFailure("no JSON for \(head)") }
    return record([Frame(json)] + blobs.map { Frame($0) } + reply)
  }

  /// - Throws: ``JournalError/damaged`` where the first record is not whole; a last one that is not is left
  ///   out.
  init(reading data: Data) throws(JournalError) {
    var rest = data[...]
    guard let first = Self.take(&rest), let json = first.first,
      let head = try? JSONDecoder().decode(Head.self, from: Data(json.bytes)),
      first.count == 1 + head.blobs + head.reply, head.blobs == head.base.numbers.count,
      head.blobs == head.base.options.count
    else { throw .damaged }
    base = head.base
    blobs = first[1..<1 + head.blobs].map(\.bytes)
    reply = Array(first[(1 + head.blobs)...])
    while let frames = Self.take(&rest) {
      guard let request = try? Message(frames: frames, limits: .unlimited) else { throw .damaged }
      requests.append(request)
    }
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
