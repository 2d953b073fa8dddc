import CKernels

/// Matrix products, on the calling thread alone: parallelism is ours, over sequences and worlds.
enum MatrixProduct {
  /// c `[m, n]` = epilogue(alpha a `[m, k]` b `[k, n]` + beta c), a and b transposed where said (then stored
  /// `[k, m]`, `[n, k]`).
  ///
  /// A row of the result has the same bits however many rows there are.
  static func multiply(
    _ a: UnsafePointer<Float>, transposedA: Bool = false, _ b: UnsafePointer<Float>,
    transposedB: Bool = false, into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int, alpha: Float = 1,
    beta: Float = 0, precision: Precision, epilogue: ck_epilogue = ck_epilogue()
  ) {
    ck_gemm(
      precision.kernel, transposedA ? 1 : 0, transposedB ? 1 : 0, m, n, k, alpha, a, transposedA ? m : k, b,
      transposedB ? k : n, beta, c, n, epilogue)
  }
}

extension Tensor {
  /// self `[m, n]` = a b + beta self; both two-dimensional (leading dimensions of `a` are rows).
  public func assignProduct(
    _ a: Tensor, transposedA: Bool = false, _ b: Tensor, transposedB: Bool = false,
    alpha: Float = 1, beta: Float = 0, precision: Precision = .float32
  ) {
    let (m, k) = transposedA ? (a.shape[-1], a.shape.rows) : (a.shape.rows, a.shape[-1])
    let n = transposedB ? b.shape.rows : b.shape[-1]
    precondition((transposedB ? b.shape[-1] : b.shape.rows) == k, "product of \(a.shape) and \(b.shape)")
    precondition(count == m * n, "a product of \(m) x \(n) into \(shape)")
    MatrixProduct.multiply(
      a.pointer, transposedA: transposedA, b.pointer, transposedB: transposedB, into: pointer, m: m, n: n,
      k: k, alpha: alpha, beta: beta, precision: precision)
  }
}
