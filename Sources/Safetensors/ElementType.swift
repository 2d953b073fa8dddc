/// The element types that this library reads and writes; raw values are the names in the file.
///
/// `bf16` has no Swift scalar: its elements are handed out as the raw 16 bits.
public enum ElementType: String, Sendable, CaseIterable {
  // In the order in which the Python package ranks them: a file stores the highest rank first, so that
  // every tensor starts at a multiple of its own element size.
  case bool = "BOOL"
  case u8 = "U8"
  case u16 = "U16"
  case bf16 = "BF16"
  case i32 = "I32"
  case f32 = "F32"
  case i64 = "I64"

  /// The size of one element in bytes.
  public var size: Int {
    switch self {
    case .bool, .u8: 1
    case .u16, .bf16: 2
    case .i32, .f32: 4
    case .i64: 8
    }
  }

  var rank: Int { Self.allCases.firstIndex(of: self)! }
}
