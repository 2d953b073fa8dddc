/// A dense row-major array with its element type and shape, held in memory as little-endian bytes.
public struct SafetensorsTensor: Sendable {
  public let type: ElementType
  /// Sizes of the dimensions, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements, row-major and little-endian.
  public let bytes: [UInt8]

  // Where the tensor came from, for error messages only.
  let file: String
  let name: String

  /// A tensor of raw elements, the only way to make one of `bool` or `bf16`.
  /// - Precondition: `bytes` holds exactly the elements of `shape`.
  public init(type: ElementType, shape: [Int], bytes: [UInt8]) {
    self.init(type: type, shape: shape, bytes: bytes, file: "", name: "")
  }

  init(type: ElementType, shape: [Int], bytes: [UInt8], file: String, name: String) {
    precondition(
      bytes.count == shape.reduce(type.size, *),
      "shape \(shape) of \(type.rawValue) does not hold \(bytes.count) bytes")
    self.type = type
    self.shape = shape
    self.bytes = bytes
    self.file = file
    self.name = name
  }

  public init(shape: [Int], values: [Float]) {
    self.init(type: .f32, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  public init(shape: [Int], values: [UInt8]) {
    self.init(type: .u8, shape: shape, bytes: values)
  }

  public init(shape: [Int], values: [UInt16]) {
    self.init(type: .u16, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  public init(shape: [Int], values: [Int32]) {
    self.init(type: .i32, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  public init(shape: [Int], values: [Int64]) {
    self.init(type: .i64, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
  }

  public init(shape: [Int], values: [Bool]) {
    self.init(type: .bool, shape: shape, bytes: values.map { $0 ? 1 : 0 })
  }

  /// The number of elements.
  public var count: Int { bytes.count / type.size }

  /// The elements of an F32 tensor, `shape` flattened.
  /// - Parameter expected: the shape that the caller relies on; nil accepts any.
  /// - Throws: ``SafetensorsError`` for another element type or shape.
  public func floats(shape expected: [Int]? = nil) throws(SafetensorsError) -> [Float] {
    try elements(.f32, expected)
  }

  /// The elements of a U8 tensor. See ``floats(shape:)``.
  public func uint8s(shape expected: [Int]? = nil) throws(SafetensorsError) -> [UInt8] {
    try check(.u8, expected)
    return bytes
  }

  /// The elements of an I32 tensor. See ``floats(shape:)``.
  public func int32s(shape expected: [Int]? = nil) throws(SafetensorsError) -> [Int32] {
    try elements(.i32, expected)
  }

  /// The elements of an I64 tensor. See ``floats(shape:)``.
  public func int64s(shape expected: [Int]? = nil) throws(SafetensorsError) -> [Int64] {
    try elements(.i64, expected)
  }

  /// The elements of a BOOL tensor; any byte but zero is true. See ``floats(shape:)``.
  public func bools(shape expected: [Int]? = nil) throws(SafetensorsError) -> [Bool] {
    try check(.bool, expected)
    return bytes.map { $0 != 0 }
  }

  /// The raw 16 bits of a BF16 tensor's elements. See ``floats(shape:)``.
  public func bfloat16Bits(shape expected: [Int]? = nil) throws(SafetensorsError) -> [UInt16] {
    try elements(.bf16, expected)
  }

  private func check(_ wanted: ElementType, _ expected: [Int]?) throws(SafetensorsError) {
    guard type == wanted else {
      throw SafetensorsError(
        file: file, problem: .wrongType(tensor: name, expected: wanted.rawValue, found: type.rawValue))
    }
    if let expected, expected != shape {
      throw SafetensorsError(
        file: file, problem: .wrongShape(tensor: name, expected: expected, found: shape))
    }
  }

  private func elements<Element: BitwiseCopyable>(
    _ wanted: ElementType, _ expected: [Int]?
  ) throws(SafetensorsError) -> [Element] {
    try check(wanted, expected)
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      initialized = count
    }
  }
}

extension SafetensorsTensor: Equatable {
  /// Equal in type, shape and bits; where they came from does not count.
  public static func == (left: Self, right: Self) -> Bool {
    left.type == right.type && left.shape == right.shape && left.bytes == right.bytes
  }
}
