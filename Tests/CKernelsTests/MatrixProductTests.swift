import CKernels
import Testing

@Suite struct MatrixProductTests {
  /// Every count around the edges of tiles, vectors and blocks.
  static let sizes = [
    (1, 1, 1), (1, 16, 1), (3, 5, 7), (8, 32, 16), (9, 33, 17), (7, 31, 15), (16, 48, 64), (13, 100, 40),
    (64, 16, 128),
    (5, 129, 255), (17, 130, 257), (40, 20, 520), (6, 64, 512), (2, 3, 0), (64, 128, 64), (33, 200, 300),
  ]

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
        transposed.a ? 1 : 0, transposed.b ? 1 : 0, m, n, k, alpha, a.values, a.stride, b.values, b.stride,
        beta, &c[0],
        start.stride)
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

  /// With beta = 0 what was there, even NaN, is forgotten.
  @Test func zeroBetaForgetsTheOldResult() {
    var samples = Samples(seed: 2)
    let (a, b) = (samples.floats(9 * 20), samples.floats(20 * 40))
    var c = [Float](repeating: .nan, count: 9 * 40)
    ck_gemm(0, 0, 9, 40, 20, 1, a, 20, b, 40, 0, &c, 40)
    #expect(c.allSatisfy { $0.isFinite })
  }

  /// A world must not change because others were stepped with it: a row has the same bits in every batch.
  @Test(arguments: [(48, 40), (384, 128), (33, 300), (128, 512), (5, 16)])
  func rowsAreIndependentOfTheirNumber(n: Int, k: Int) {
    var samples = Samples(seed: 3)
    let rows = 67
    let (a, b) = (samples.floats(rows * k), samples.floats(k * n))
    for transposedB in [false, true] {
      let ldb = transposedB ? k : n
      var whole = [Float](repeating: 0, count: rows * n)
      ck_gemm(0, transposedB ? 1 : 0, rows, n, k, 1, a, k, b, ldb, 0, &whole, n)
      for (first, count) in [(0, 1), (66, 1), (3, 7), (5, 8), (1, 64), (60, 7), (0, 66)] {
        var part = [Float](repeating: 0, count: count * n)
        ck_gemm(0, transposedB ? 1 : 0, count, n, k, 1, Array(a[(first * k)...]), k, b, ldb, 0, &part, n)
        #expect(part == Array(whole[first * n..<(first + count) * n]), "rows \(first)..<\(first + count)")
      }
    }
  }

  /// Transposing in storage does not change what is computed.
  @Test func storageDoesNotMatter() {
    var samples = Samples(seed: 4)
    let (m, n, k) = (19, 70, 290)
    let (a, b) = (samples.floats(m * k), samples.floats(k * n))
    let turnedA = (0..<k * m).map { a[$0 % m * k + $0 / m] }
    let turnedB = (0..<n * k).map { b[$0 % k * n + $0 / k] }
    var c = [[Float]](repeating: [Float](repeating: 0, count: m * n), count: 2)
    ck_gemm(0, 0, m, n, k, 1, a, k, b, n, 0, &c[0], n)
    ck_gemm(1, 1, m, n, k, 1, turnedA, m, turnedB, k, 0, &c[1], n)
    #expect(c[0] == c[1])
  }
}
