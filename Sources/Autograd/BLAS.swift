import COpenBLAS

/// Matrix products by OpenBLAS, on the calling thread alone: parallelism is ours, over sequences and worlds.
enum BLAS {
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  static func prepare() { _ = singleThreaded }

  /// c `[m, n]` = a `[m, k]` b `[k, n]` + beta c, each transposed where said (then stored `[k, m]` or `[n, k]`).
  static func multiply(
    _ a: UnsafePointer<Float>, transposedA: Bool = false, _ b: UnsafePointer<Float>, transposedB: Bool = false,
    into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int,
    alpha: Float = 1, beta: Float = 0
  ) {
    if m == 0 || n == 0 { return }
    cblas_sgemm(
      CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans, transposedB ? CblasTrans : CblasNoTrans,
      blasint(m), blasint(n), blasint(k), alpha, a, blasint(transposedA ? m : k), b, blasint(transposedB ? k : n),
      beta, c, blasint(n))
  }
}

extension Tensor {
  /// self `[m, n]` = a b + beta self; both two-dimensional (leading dimensions of `a` are rows).
  public func assignProduct(_ a: Tensor, transposedA: Bool = false, _ b: Tensor, transposedB: Bool = false,
    alpha: Float = 1, beta: Float = 0
  ) {
    BLAS.prepare()
    let (m, k) = transposedA ? (a.shape[-1], a.shape.rows) : (a.shape.rows, a.shape[-1])
    let n = transposedB ? b.shape.rows : b.shape[-1]
    precondition((transposedB ? b.shape[-1] : b.shape.rows) == k, "product of \(a.shape) and \(b.shape)")
    precondition(count == m * n, "a product of \(m) x \(n) into \(shape)")
    BLAS.multiply(
      a.pointer, transposedA: transposedA, b.pointer, transposedB: transposedB, into: pointer, m: m, n: n, k: k,
      alpha: alpha, beta: beta)
  }
}
