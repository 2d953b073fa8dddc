import CKernels

/// What the operands of matrix products, and the keys and values of caches, are rounded to. Sums, norms,
/// softmax, master weights and everything else are Float32.
public enum Precision: String, Codable, Sendable, CaseIterable {
  case float32
  /// 8 bits of mantissa: caches take half the memory, and products half the time on AMD's processors (measured: Zen 5), a quarter
  /// on Intel's with AMX, but more time than Float32 on Intel's with AVX-512 alone.
  case bfloat16

  /// Whether this processor multiplies at this precision.
  public var isAvailable: Bool { self == .float32 || ck_has_bfloat16() != 0 }

  /// The faster of what this processor has.
  public static var preferred: Precision { ck_prefers_bfloat16() != 0 ? .bfloat16 : .float32 }

  /// The processor's instructions that products use in this precision: with other ones the last bits of a sum may differ.
  public var instructions: String { String(cString: ck_instruction_set(kernel)) }

  var kernel: ck_precision { self == .bfloat16 ? ck_bfloat16 : ck_float32 }
}
