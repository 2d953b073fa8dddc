import Autograd
import Testing

@Suite struct LayerNormTests {
  @Test func rowsHaveMeanZeroAndDeviationOne() {
    let tape = dirtyTape(recording: false)
    let x = Tensor.random([2, 3, 19], seed: 1, scale: 5)
    let ones = Tensor([Float](repeating: 1, count: 19), shape: [19])
    let y = tape.layerNorm(
      tape.constant(x), gain: tape.constant(ones), bias: tape.constant(Tensor(shape: [19]))
    ).value
    for row in 0..<6 {
      let values = y.values[row * 19..<(row + 1) * 19].map(Double.init)
      let mean = values.reduce(0, +) / 19
      #expect(abs(mean) < 1e-5)
      #expect(abs(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19 - 1) < 1e-3)
    }
  }

  @Test(arguments: [5, 16, 19]) func gradients(channels: Int) {
    let inputs = [
      Tensor.random([2, 3, channels], seed: 1), Tensor.random([channels], seed: 2),
      Tensor.random([channels], seed: 3),
    ]
    GradientCheck()(inputs) { $0.layerNorm($1[0], gain: $1[1], bias: $1[2]) }
  }
}
