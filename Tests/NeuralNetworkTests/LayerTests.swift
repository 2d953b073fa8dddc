import Autograd
import NeuralNetwork
import Testing

@Suite struct LayerTests {
  private let parameters = Parameters(seed: 1)
  private let tape = Tape(arena: Arena())

  @Test func linear() {
    let layer = Linear(parameters, "layer", inputs: 100, outputs: 50)
    let energy = layer.weight.value.values.reduce(0) { $0 + $1 * $1 } / 5000
    #expect(abs(energy - 0.01) < 0.001, "deviation 1 / sqrt(inputs)")
    #expect(
      layer(tape, tape.constant(Tensor(shape: [2, 100]))).value.values == [Float](repeating: 0, count: 100))
    #expect(parameters.all.map(\.name) == ["layer.weight", "layer.bias"])
    let zero = Linear(parameters, "zero", inputs: 3, outputs: 2, bias: false, deviation: 0)
    #expect(zero.bias == nil)
    #expect(
      zero(tape, tape.constant(.random([4, 3], seed: 2))).value.values == [Float](repeating: 0, count: 8))
  }

  @Test func embedding() {
    let layer = Embedding(parameters, "codes", entries: 4, channels: 3)
    let result = layer(tape, [2, 0], shape: [1, 2])
    #expect(result.shape == [1, 2, 3])
    #expect(result.value.values == Array(layer.table.value.values[6..<9] + layer.table.value.values[0..<3]))
  }

  @Test func layerNormBeginsWithoutGainOrBias() {
    let result = LayerNorm(parameters, "norm", channels: 4)(
      tape, tape.constant(Tensor([1, 2, 3, 4], shape: [1, 4])))
    expectClose(result.value.values, [-1.3416, -0.4472, 0.4472, 1.3416], tolerance: 1e-4)
  }

  @Test func convolution() {
    let layer = Convolution(parameters, "pixels", channels: 3, filters: 5, kernel: 4, stride: 2, padding: 1)
    let result = layer(tape, tape.constant(.random([2, 8, 6, 3], seed: 3)))
    #expect(result.shape == [2, 4, 3, 5])
    #expect(result.value.values.allSatisfy { $0 >= 0 }, "relu")
  }
}
