/// The bytes of a protocol buffer message, appended field by field.
struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
  }

  mutating func append(_ field: UInt64, varint value: UInt64) {
    key(field, .varint)
    varint(value)
  }

  mutating func append(_ field: UInt64, double value: Double) {
    key(field, .fixed64)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func append(_ field: UInt64, float value: Float) {
    key(field, .fixed32)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func append(_ field: UInt64, bytes value: [UInt8]) {
    key(field, .lengthDelimited)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func append(_ field: UInt64, message: ProtocolBuffer) {
    append(field, bytes: message.bytes)
  }

  private mutating func key(_ field: UInt64, _ type: WireType) { varint(field << 3 | type.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
