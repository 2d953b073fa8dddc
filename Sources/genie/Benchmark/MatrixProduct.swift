import Autograd
import CKernels

extension Precision {
  var kernel: ck_precision { self == .bfloat16 ? ck_bfloat16 : ck_float32 }
}

/// One product of matrices, in the ways that it can be computed.
struct MatrixProduct {
  private let name: String
  private let (m, n, k): (Int, Int, Int)
  private let (transposedA, transposedB, isPacked): (Bool, Bool, Bool)

  /// - Parameters:
  ///   - transposedA: the left matrix is stored `[k, m]`, not `[m, k]`.
  ///   - transposedB: the right matrix is stored `[n, k]`, not `[k, n]`.
  ///   - isPacked: the right matrix was packed before.
  init(
    _ name: String, m: Int, n: Int, k: Int, transposedA: Bool = false, transposedB: Bool = false,
    isPacked: Bool = false
  ) {
    self.name = name
    (self.m, self.n, self.k) = (m, n, k)
    (self.transposedA, self.transposedB, self.isPacked) = (transposedA, transposedB, isPacked)
  }

  /// In each precision, and by OpenBLAS.
  func kernels(_ library: OpenBLAS?) -> [Kernel] {
    let (a, b, c) = (Samples(m * k), Samples(k * n), Samples(m * n))
    let (m, n, k, transposedA, transposedB) = (m, n, k, transposedA, transposedB)
    let (shape, flops) = ("\(m) x \(k) x \(n)", 2 * Double(m * n * k))
    var kernels = Precision.allCases.map { precision in
      let title = name + (isPacked ? ", packed" : "") + ", \(precision)"
      guard isPacked else {
        return Kernel(title, shape, flops: flops, in: precision) {
          ck_gemm(
            precision.kernel, transposedA ? 1 : 0, transposedB ? 1 : 0, m, n, k, 1, a.at, transposedA ? m : k,
            b.at, transposedB ? k : n, 0, c.at, n, ck_epilogue())
        }
      }
      let packed = Samples(ck_packed_count(precision.kernel, n, k))
      ck_pack(precision.kernel, 0, n, k, b.at, n, packed.at)
      return Kernel(title, shape, flops: flops, in: precision) {
        ck_gemm_packed(precision.kernel, m, n, k, a.at, k, packed.at, c.at, n, ck_epilogue())
      }
    }
    if let library {
      kernels.append(
        Kernel(name + ", OpenBLAS", shape, flops: flops) {
          library.multiply(
            a.at, transposedA: transposedA, b.at, transposedB: transposedB, into: c.at, m: m, n: n, k: k)
        })
    }
    return kernels
  }
}
