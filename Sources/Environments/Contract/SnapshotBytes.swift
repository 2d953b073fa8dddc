/// Writes a state as bytes, little-endian.
public struct SnapshotWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Writes a count and that many bytes.
  public mutating func write(_ values: [UInt8]) {
    write(UInt32(values.count))
    bytes.append(contentsOf: values)
  }
}

/// Reads what a ``SnapshotWriter`` wrote. The bytes may come from anywhere: whatever is wrong with them
/// throws ``EnvironmentError/invalidSnapshot(_:)``.
public struct SnapshotReader: Sendable {
  private var rest: ArraySlice<UInt8>

  public init(_ bytes: [UInt8]) {
    rest = bytes[...]
  }

  public var isAtEnd: Bool { rest.isEmpty }

  public mutating func read<Value: FixedWidthInteger>(_ type: Value.Type) throws(EnvironmentError) -> Value {
    let field = try take(MemoryLayout<Value>.size)
    var value: Value = 0
    withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: field) }
    return Value(littleEndian: value)
  }

  public mutating func readBytes() throws(EnvironmentError) -> [UInt8] {
    Array(try take(Int(try read(UInt32.self))))
  }

  private mutating func take(_ count: Int) throws(EnvironmentError) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw .invalidSnapshot("it ends too early") }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
