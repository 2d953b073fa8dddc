import CKernels
import COpenBLAS
import Testing

@Suite struct MatrixProductTests {
  /// Every count around the edges of tiles, vectors and blocks.
  static let sizes = [
    (1, 1, 1), (1, 16, 1), (3, 5, 7), (8, 32, 16), (9, 33, 17), (7, 31, 15), (16, 48, 64), (13, 100, 40),
    (64, 16, 128),
    (5, 129, 255), (17, 130, 257), (40, 20, 520), (6, 64, 512), (2, 3, 0), (64, 128, 64), (33, 200, 300),
  ]

  /// Where the processor has no bf16, both are Float32.
  static let precisions = [ck_float32, ck_bfloat16]

  /// A matrix whose rows are a little apart, with numbers between them that must not matter.
  struct Matrix {
    let rows: Int
    let columns: Int
    let stride: Int
    var values: [Float]

    init(_ rows: Int, _ columns: Int, _ samples: inout Samples) {
      (self.rows, self.columns, stride) = (rows, columns, columns + 3)
      values = samples.floats(rows * stride)
      for row in 0..<rows { values[row * stride + columns] = .nan }
    }
  }

  @Test(arguments: sizes, [(false, false), (true, false), (false, true), (true, true)])
  func agreesWithReference(size: (m: Int, n: Int, k: Int), transposed: (a: Bool, b: Bool)) {
    var samples = Samples(seed: 1)
    let (m, n, k) = size
    let a = transposed.a ? Matrix(k, m, &samples) : Matrix(m, k, &samples)
    let b = transposed.b ? Matrix(n, k, &samples) : Matrix(k, n, &samples)
    for (alpha, beta) in [(1, 0), (1, 1), (-0.5, 2), (0, 0.5)] as [(Float, Float)] {
      let start = Matrix(m, n, &samples)
      var c = [start.values, start.values]
      ck_gemm(
        ck_float32, transposed.a ? 1 : 0, transposed.b ? 1 : 0, m, n, k, alpha, a.values, a.stride, b.values,
        b.stride,
        beta, &c[0], start.stride, ck_epilogue())
      ck_reference_gemm(
        transposed.a ? 1 : 0, transposed.b ? 1 : 0, m, n, k, alpha, a.values, a.stride, b.values, b.stride,
        beta, &c[1],
        start.stride)
      for row in 0..<m {
        let line = row * start.stride..<row * start.stride + n
        expectClose(
          Array(c[0][line]), Array(c[1][line]), tolerance: 1e-5 * Float(k + 1).squareRoot(), "row \(row)")
        let between = line.upperBound..<(row + 1) * start.stride
        #expect(c[0][between].map(\.bitPattern) == start.values[between].map(\.bitPattern))
      }
    }
  }

  /// The sizes of a training step, against another library's sums.
  @Test(arguments: [(256, 384, 128), (640, 128, 512), (128, 384, 640)])
  func agreesWithOpenBLAS(m: Int, n: Int, k: Int) {
    var samples = Samples(seed: 5)
    let (a, b, start) = (samples.floats(m * k), samples.floats(k * n), samples.floats(m * n))
    for (transposedA, transposedB) in [(false, false), (true, false), (false, true)] {
      let (lda, ldb) = (transposedA ? m : k, transposedB ? k : n)
      var c = [start, start]
      ck_gemm(
        ck_float32, transposedA ? 1 : 0, transposedB ? 1 : 0, m, n, k, 0.5, a, lda, b, ldb, 1, &c[0], n,
        ck_epilogue())
      cblas_sgemm(
        CblasRowMajor, transposedA ? CblasTrans : CblasNoTrans, transposedB ? CblasTrans : CblasNoTrans,
        blasint(m), blasint(n), blasint(k), 0.5, a, blasint(lda), b, blasint(ldb), 1, &c[1], blasint(n))
      expectClose(c[0], c[1], tolerance: 1e-4)
    }
  }

  /// With beta = 0 what was there, even NaN, is forgotten.
  @Test func zeroBetaForgetsTheOldResult() {
    var samples = Samples(seed: 2)
    let (a, b) = (samples.floats(9 * 20), samples.floats(20 * 40))
    var c = [Float](repeating: .nan, count: 9 * 40)
    ck_gemm(ck_float32, 0, 0, 9, 40, 20, 1, a, 20, b, 40, 0, &c, 40, ck_epilogue())
    #expect(c.allSatisfy { $0.isFinite })
  }

  /// A world must not change because others were stepped with it: a row has the same bits in every batch; and whether
  /// the weights were packed before does not matter either.
  @Test(arguments: [(48, 40), (384, 128), (33, 300), (128, 512), (5, 16), (40, 1030)], precisions)
  func rowsAreIndependentOfTheirNumber(size: (n: Int, k: Int), precision: ck_precision) {
    var samples = Samples(seed: 3)
    let (rows, n, k) = (67, size.n, size.k)
    let (a, b) = (samples.floats(rows * k), samples.floats(k * n))
    for transposedB in [false, true] {
      let ldb = transposedB ? k : n
      var whole = [Float](repeating: 0, count: rows * n)
      ck_gemm(
        precision, 0, transposedB ? 1 : 0, rows, n, k, 1, a, k, b, ldb, 0, &whole, n, ck_epilogue())
      var panels = [Float](repeating: .nan, count: ck_packed_count(precision, n, k))
      ck_pack(precision, transposedB ? 1 : 0, n, k, b, ldb, &panels)
      for (first, count) in [(0, 1), (66, 1), (3, 7), (5, 8), (1, 64), (60, 7), (0, 66)] {
        let some = Array(a[(first * k)...])
        var part = [[Float]](repeating: [Float](repeating: 0, count: count * n), count: 2)
        ck_gemm(
          precision, 0, transposedB ? 1 : 0, count, n, k, 1, some, k, b, ldb, 0, &part[0], n, ck_epilogue())
        ck_gemm_packed(precision, count, n, k, some, k, panels, &part[1], n, ck_epilogue())
        let expected = Array(whole[first * n..<(first + count) * n])
        #expect(part[0] == expected && part[1] == expected, "rows \(first)..<\(first + count)")
      }
    }
  }

  /// Transposing in storage does not change what is computed.
  @Test(arguments: precisions) func storageDoesNotMatter(precision: ck_precision) {
    var samples = Samples(seed: 4)
    let (m, n, k) = (19, 70, 1290)
    let (a, b) = (samples.floats(m * k), samples.floats(k * n))
    let turnedA = (0..<k * m).map { a[$0 % m * k + $0 / m] }
    let turnedB = (0..<n * k).map { b[$0 % k * n + $0 / k] }
    var c = [[Float]](repeating: [Float](repeating: 0, count: m * n), count: 2)
    ck_gemm(precision, 0, 0, m, n, k, 1, a, k, b, n, 0, &c[0], n, ck_epilogue())
    ck_gemm(precision, 1, 1, m, n, k, 1, turnedA, m, turnedB, k, 0, &c[1], n, ck_epilogue())
    #expect(c[0] == c[1])
  }

  /// bf16 rounds the operands and nothing else: with operands that are bf16 already, the result is that of Float32.
  @Test(
    .enabled(if: ck_has_bfloat16() != 0), arguments: sizes, [(false, false), (true, false), (false, true)])
  func bfloat16RoundsTheOperandsOnly(size: (m: Int, n: Int, k: Int), transposed: (a: Bool, b: Bool)) {
    var samples = Samples(seed: 6)
    let (m, n, k) = size
    func rounded(_ values: [Float]) -> [Float] {
      values.map { Float(bitPattern: ($0.bitPattern &+ 0x7fff &+ ($0.bitPattern >> 16 & 1)) & 0xffff_0000) }
    }
    let (a, b) = (samples.floats(m * k), samples.floats(k * n))
    let (lda, ldb) = (transposed.a ? m : k, transposed.b ? k : n)
    let start = samples.floats(m * n)
    var c = [start, start]
    let (ta, tb): (Int32, Int32) = (transposed.a ? 1 : 0, transposed.b ? 1 : 0)
    ck_gemm(ck_bfloat16, ta, tb, m, n, k, 0.5, a, lda, b, ldb, 1, &c[0], n, ck_epilogue())
    ck_reference_gemm(ta, tb, m, n, k, 0.5, rounded(a), lda, rounded(b), ldb, 1, &c[1], n)
    expectClose(c[0], c[1], tolerance: 1e-5 * Float(k + 1).squareRoot())
  }

  /// Residual, bias, sums and activation, in this order, at tiles whole and cut, in one block of k and several.
  @Test(arguments: [(8, 32, 16), (9, 33, 17), (64, 64, 600), (3, 70, 1100)], precisions)
  func epilogues(size: (m: Int, n: Int, k: Int), precision: ck_precision) {
    var samples = Samples(seed: 7)
    let (m, n, k) = size
    let (a, b) = (samples.floats(m * k, scale: 0.3), samples.floats(k * n, scale: 0.3))
    let (residual, bias) = (samples.floats(m * n), samples.floats(n))
    var plain = [Float](repeating: 0, count: m * n)
    ck_gemm(precision, 0, 0, m, n, k, 1, a, k, b, n, 0, &plain, n, ck_epilogue())
    let expectedSums = plain.indices.map { plain[$0] + residual[$0] + bias[$0 % n] }
    var expected = expectedSums
    ck_reference_gelu_forward(expectedSums, &expected, m * n)
    var (sums, activated) = (plain, plain)
    residual.withUnsafeBufferPointer { residual in
      bias.withUnsafeBufferPointer { bias in
        sums.withUnsafeMutableBufferPointer { sums in
          let epilogue = ck_epilogue(
            residual: residual.baseAddress, bias: bias.baseAddress, sums: sums.baseAddress, gelu: 1)
          ck_gemm(precision, 0, 0, m, n, k, 1, a, k, b, n, 0, &activated, n, epilogue)
        }
      }
    }
    expectClose(sums, expectedSums, tolerance: 1e-5 * Float(k).squareRoot())
    expectClose(activated, expected, tolerance: 1e-5 * Float(k).squareRoot())
  }
}
