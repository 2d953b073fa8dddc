import CKernels
import Testing

@Suite struct ElementwiseTests {
  static let counts = [1, 3, 15, 16, 17, 33, 250, 1024]

  typealias Forward = (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int) -> Void
  typealias Backward = (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int) ->
    Void

  func compare(_ kernel: Forward, _ reference: Forward, _ x: [Float], tolerance: Float = 1e-6) {
    var expected = x
    reference(x, &expected, x.count)
    var inPlace = x
    inPlace.withUnsafeMutableBufferPointer { kernel($0.baseAddress, $0.baseAddress, x.count) }
    var apart = [Float](repeating: .nan, count: x.count)
    kernel(x, &apart, x.count)
    expectClose(apart, expected, tolerance: tolerance)
    #expect(apart == inPlace)
  }

  func compare(_ kernel: Backward, _ reference: Backward, _ x: [Float], tolerance: Float = 2e-6) {
    var samples = Samples(seed: 7)
    let dy = samples.floats(x.count)
    var actual = samples.floats(x.count)
    var expected = actual
    kernel(x, dy, &actual, x.count)
    reference(x, dy, &expected, x.count)
    expectClose(actual, expected, tolerance: tolerance)
  }

  @Test(arguments: counts) func activations(count: Int) {
    var samples = Samples(seed: 1)
    let x = samples.floats(count, scale: 6)
    compare(ck_gelu_forward, ck_reference_gelu_forward, x)
    compare(ck_gelu_backward, ck_reference_gelu_backward, x)
    compare(ck_relu_forward, ck_reference_relu_forward, x, tolerance: 0)
    compare(ck_relu_backward, ck_reference_relu_backward, x, tolerance: 0)
    compare(ck_tanh_forward, ck_reference_tanh_forward, x)
    compare(ck_tanh_backward, ck_reference_tanh_backward, x.map { $0 / 6 })
  }

  @Test func extremesStayFinite() {
    let x: [Float] = [
      0, -0.0, 1e-30, -1e-30, 5, -5, 9.9, -9.9, 12, -12, 40, -40, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38,
    ]
    compare(ck_gelu_forward, ck_reference_gelu_forward, x)
    compare(ck_gelu_backward, ck_reference_gelu_backward, x.filter { abs($0) < 1e13 })
    compare(ck_tanh_forward, ck_reference_tanh_forward, x)
    var slopes = [Float](repeating: 0, count: 2)
    ck_gelu_backward([3e38, -3e38], [1, 1], &slopes, 2)
    #expect(slopes == [1, 0])
  }

  @Test func notANumberStaysVisible() {
    var y: [Float] = [0, 0]
    ck_gelu_forward([.nan, 1], &y, 2)
    #expect(y[0].isNaN && !y[1].isNaN)
    ck_tanh_forward([.nan, 1], &y, 2)
    #expect(y[0].isNaN && !y[1].isNaN)
  }

  @Test func tanhKeepsSmallNumbers() {
    let x: [Float] = [1e-8, -3e-5, 1e-3, 0.1, 0.624, 0.626]
    var y = x
    ck_tanh_forward(x, &y, x.count)
    var expected = x
    ck_reference_tanh_forward(x, &expected, x.count)
    for (a, b) in zip(y, expected) { #expect(abs(a / b - 1) < 5e-7) }
  }

  /// An element's result does not depend on where it stands.
  @Test func resultsAreIndependentOfPosition() {
    var samples = Samples(seed: 2)
    let x = samples.floats(133, scale: 5)
    var whole = x
    ck_gelu_forward(x, &whole, x.count)
    for (index, value) in x.enumerated() {
      var one: Float = 0
      ck_gelu_forward([value], &one, 1)
      #expect(one == whole[index])
    }
  }

  @Test(arguments: [(1, 1), (1, 17), (3, 16), (5, 7), (130, 33)]) func rows(rows: Int, channels: Int) {
    var samples = Samples(seed: 3)
    let x = samples.floats(rows * channels)
    let start = samples.floats(channels)
    let other = samples.floats(rows * channels)

    var sums = start
    var expectedSums = start
    ck_sum_rows(x, &sums, rows, channels)
    ck_reference_sum_rows(x, &expectedSums, rows, channels)
    expectClose(sums, expectedSums, tolerance: 1e-5)

    var scaled = x
    var expectedScaled = x
    ck_add_scaled(other, -0.37, &scaled, x.count)
    ck_reference_add_scaled(other, -0.37, &expectedScaled, x.count)
    expectClose(scaled, expectedScaled)
    ck_scale(&scaled, -1.7, x.count)
    ck_reference_scale(&expectedScaled, -1.7, x.count)
    expectClose(scaled, expectedScaled)

    let squares = ck_reference_sum_squares(x, x.count)
    #expect(abs(ck_sum_squares(x, x.count) / squares - 1) < 1e-12)
  }

  @Test func sumOfSquaresNeitherOverflowsNorLosesSmallOnes() {
    #expect(ck_sum_squares([1e30, 1e30], 2) > 1e60)
    let many = [Float](repeating: 0.1, count: 1 << 20)
    #expect(abs(ck_sum_squares(many, many.count) - Double(many.count) * 0.01) < 1)
    #expect(ck_sum_squares(many, 0) == 0)
  }

  @Test func bytesAreSharesOfOne() {
    let bytes = (0...255).map { UInt8($0) }
    var unit = [Float](repeating: 0, count: 256)
    var expected = unit
    ck_bytes_to_unit(bytes, &unit, 256)
    ck_reference_bytes_to_unit(bytes, &expected, 256)
    #expect(unit == expected)
  }
}
