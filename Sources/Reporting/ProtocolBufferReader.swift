/// Reads the fields of a protocol buffer message one after another. The bytes may be anything: what is no
/// message ends the sequence and says so.
struct ProtocolBufferReader {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes(ArraySlice<UInt8>)
    case fixed32(UInt32)
  }

  private var rest: ArraySlice<UInt8>
  /// The rest is no message.
  private(set) var isDamaged = false

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next field; nil at the end, and where the rest is damaged.
  mutating func next() -> (field: UInt64, value: Value)? {
    guard !rest.isEmpty else { return nil }
    guard let key = varint(), let value = value(wireType: key & 7) else {
      isDamaged = true
      rest = []
      return nil
    }
    return (key >> 3, value)
  }

  private mutating func value(wireType: UInt64) -> Value? {
    switch wireType {
    case 0: varint().map { .varint($0) }
    case 1: take(8).map { .fixed64(littleEndianNumber($0)) }
    case 2: varint().flatMap { Int(exactly: $0) }.flatMap { take($0) }.map { .bytes($0) }
    case 5: take(4).map { .fixed32(UInt32(truncatingIfNeeded: littleEndianNumber($0))) }
    default: nil
    }
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func varint() -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      result |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return result }
    }
    return nil
  }
}

/// The number that up to eight bytes make, the lowest first.
func littleEndianNumber(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
