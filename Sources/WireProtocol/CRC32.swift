/// The CRC-32 of zlib, gzip and PNG, eight bytes at a time ("slicing by eight").
package struct CRC32 {
  private var state: UInt32 = 0xFFFF_FFFF

  package init() {}

  /// The checksum of all that was added.
  package var value: UInt32 { ~state }

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    Self.tables.withUnsafeBufferPointer { tables in
      while position + 8 <= bytes.count {
        let low = bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian ^ state
        let high = bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self).littleEndian
        state =
          tables[7 * 256 + Int(low & 255)] ^ tables[6 * 256 + Int((low >> 8) & 255)]
          ^ tables[5 * 256 + Int((low >> 16) & 255)] ^ tables[4 * 256 + Int(low >> 24)]
        state ^=
          tables[3 * 256 + Int(high & 255)] ^ tables[2 * 256 + Int((high >> 8) & 255)]
          ^ tables[256 + Int((high >> 16) & 255)] ^ tables[Int(high >> 24)]
        position += 8
      }
      while position < bytes.count {
        state = tables[Int((state ^ UInt32(bytes[position])) & 255)] ^ (state >> 8)
        position += 1
      }
    }
  }

  /// Adds a length, as the u64 that the protocol sums.
  package mutating func add(length: Int) {
    withUnsafeBytes(of: UInt64(length).littleEndian) { add($0) }
  }

  /// `tables[k * 256 + b]`: the effect of byte `b`, `k` bytes further on.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt32(byte)) { crc, _ in
        crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1
      }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables[index] = tables[Int(before & 255)] ^ (before >> 8)
    }
    return tables
  }()
}
