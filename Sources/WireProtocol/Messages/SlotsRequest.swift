import Environments

/// The payload of `close`, `snapshot` and `fork`: which slots; empty: all of them.
///
/// A fork may name a slot more than once: each time is another copy. A close that names none ends the
/// session.
public struct SlotsRequest: Hashable, Sendable {
  public var slots: [Int32]

  public init(slots: [Int32] = []) { self.slots = slots }

  public var payloads: [Frame] { [Frame(slots)] }

  public init(reading message: Message) throws(WireError) {
    try message.requirePayloads(1)
    slots = try message.payloads[0].array(of: Int32.self, "slots")
  }
}

/// The payloads of `restore`: which slots (none named: all), and the snapshot of each.
public struct RestoreRequest: Hashable, Sendable {
  public var slots: [Int32]
  public var blobs: [[UInt8]]

  public init(slots: [Int32] = [], blobs: [[UInt8]]) {
    self.slots = slots
    self.blobs = blobs
  }

  public var payloads: [Frame] { [Frame(slots)] + Blobs(blobs).payloads }

  /// - Throws: ``WireError/malformed(_:)`` where the sizes of the three payloads do not agree.
  public init(reading message: Message) throws(WireError) {
    try message.requirePayloads(3)
    slots = try message.payloads[0].array(of: Int32.self, "slots")
    blobs = try Blobs(lengths: message.payloads[1], bytes: message.payloads[2]).blobs
  }
}

/// Snapshots as two payloads: their lengths, and all their bytes one after the other.
public struct Blobs: Hashable, Sendable {
  public var blobs: [[UInt8]]

  public init(_ blobs: [[UInt8]]) { self.blobs = blobs }

  /// - Throws: ``WireError/malformed(_:)`` where the lengths do not add up to the bytes.
  public init(lengths: Frame, bytes: Frame) throws(WireError) {
    let lengths = try lengths.array(of: UInt64.self, "lengths")
    var blobs: [[UInt8]] = []
    var used = 0
    for length in lengths {
      guard let length = Int(exactly: length), length <= bytes.byteCount - used else {
        throw .malformed("a snapshot of \(length) bytes, and \(bytes.byteCount - used) are left")
      }
      blobs.append(bytes.withUnsafeBytes { Array($0[used..<used + length]) })
      used += length
    }
    guard used == bytes.byteCount else {
      throw .malformed("\(bytes.byteCount) bytes of snapshots, and their lengths say \(used)")
    }
    self.blobs = blobs
  }

  public var payloads: [Frame] {
    let bytes = Frame(byteCount: blobs.reduce(0) { $0 + $1.count })
    bytes.withUnsafeMutableBytes { target in
      var offset = 0
      for blob in blobs {
        UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + blob.count]).copyBytes(from: blob)
        offset += blob.count
      }
    }
    return [Frame(blobs.map { UInt64($0.count) }), bytes]
  }
}
