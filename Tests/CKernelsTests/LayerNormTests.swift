import CKernels
import Testing

@Suite struct LayerNormTests {
  static let sizes = [(1, 1), (1, 16), (3, 5), (4, 32), (7, 100), (33, 129)]

  @Test(arguments: sizes) func agreesWithReference(rows: Int, channels: Int) {
    var samples = Samples(seed: 1)
    let x = samples.floats(rows * channels)
    let gain = samples.floats(channels)
    let bias = samples.floats(channels)
    let dy = samples.floats(x.count)
    let start = samples.floats(x.count)

    var y = [x, x]
    var mean = [[Float]](repeating: [Float](repeating: 0, count: rows), count: 2)
    var rstd = mean
    ck_layer_norm_forward(x, gain, bias, &y[0], &mean[0], &rstd[0], rows, channels, 1e-5)
    ck_reference_layer_norm_forward(x, gain, bias, &y[1], &mean[1], &rstd[1], rows, channels, 1e-5)
    expectClose(y[0], y[1], tolerance: 5e-6)
    expectClose(mean[0], mean[1])
    expectClose(rstd[0], rstd[1], tolerance: 5e-6)

    var dx = [start, start]
    var dgain = [gain, gain]
    var dbias = [bias, bias]
    ck_layer_norm_backward(
      dy, x, gain, mean[1], rstd[1], &dx[0], &dgain[0], &dbias[0], rows, channels)
    ck_reference_layer_norm_backward(
      dy, x, gain, mean[1], rstd[1], &dx[1], &dgain[1], &dbias[1], rows, channels)
    // A single channel has rstd = 1 / sqrt(epsilon): its rounding errors are 300 times larger.
    expectClose(dx[0], dx[1], tolerance: channels == 1 ? 1e-3 : 1e-5)
    expectClose(dgain[0], dgain[1], tolerance: 1e-5)
    expectClose(dbias[0], dbias[1], tolerance: 1e-5)
  }

  /// A variance taken as E[x^2] - E[x]^2 would be rounding noise here.
  @Test func rowsFarFromZeroKeepTheirVariance() {
    var samples = Samples(seed: 2)
    let x = samples.floats(64, scale: 1).map { $0 + 10_000 }
    let ones = [Float](repeating: 1, count: 64)
    let zeros = [Float](repeating: 0, count: 64)
    var y = [x, x]
    var mean: [Float] = [0, 0]
    var rstd: [Float] = [0, 0]
    ck_layer_norm_forward(x, ones, zeros, &y[0], &mean[0], &rstd[0], 1, 64, 1e-5)
    ck_reference_layer_norm_forward(x, ones, zeros, &y[1], &mean[1], &rstd[1], 1, 64, 1e-5)
    expectClose(y[0], y[1], tolerance: 2e-3)
  }

  @Test func constantRowGivesTheBias() {
    let x = [Float](repeating: 3, count: 24)
    let bias = (0..<24).map { Float($0) }
    var y = x
    var mean: Float = 0
    var rstd: Float = 0
    ck_layer_norm_forward(x, bias, bias, &y, &mean, &rstd, 1, 24, 1e-5)
    expectClose(y, bias)
  }

  @Test func rowsAreIndependent() {
    var samples = Samples(seed: 3)
    let channels = 40
    let x = samples.floats(9 * channels)
    let gain = samples.floats(channels)
    var whole = x
    var mean = [Float](repeating: 0, count: 9)
    var rstd = mean
    ck_layer_norm_forward(x, gain, gain, &whole, &mean, &rstd, 9, channels, 1e-5)
    for row in 0..<9 {
      let slice = row * channels..<(row + 1) * channels
      var one = [Float](repeating: 0, count: channels)
      ck_layer_norm_forward(
        Array(x[slice]), gain, gain, &one, &mean, &rstd, 1, channels, 1e-5)
      #expect(one == Array(whole[slice]))
    }
  }
}
