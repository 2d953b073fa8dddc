import CKernels

/// What the operands of matrix products, and the keys and values of caches, are rounded to. Sums, norms,
/// softmax, master weights and everything else are Float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// 8 bits of mantissa: products take half the time and caches half the memory.
  case bfloat16

  /// Whether this processor multiplies at this precision.
  public var isAvailable: Bool { self == .float32 || ck_has_bfloat16() != 0 }

  /// The faster of what this processor has.
  public static var preferred: Precision { bfloat16.isAvailable ? .bfloat16 : .float32 }

  var kernel: ck_precision { self == .bfloat16 ? ck_bfloat16 : ck_float32 }
}
