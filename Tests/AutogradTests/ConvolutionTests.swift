import Autograd
import Testing

@Suite struct ConvolutionTests {
  private let x = Tensor.random([2, 5, 6, 3], seed: 1)
  private let weight = Tensor.random([27, 4], seed: 2, scale: 0.3)
  private let bias = Tensor.random([4], seed: 3)

  @Test(arguments: [
    (stride: 1, padding: 0), (stride: 2, padding: 0), (stride: 1, padding: 1), (stride: 2, padding: 1),
  ])
  func valuesAndGradients(stride: Int, padding: Int) {
    let tape = dirtyTape(recording: false)
    let y = tape.convolution(
      tape.constant(x), weight: tape.constant(weight), bias: tape.constant(bias), kernel: 3, stride: stride,
      padding: padding)
    let (height, width) = ((5 + 2 * padding - 3) / stride + 1, (6 + 2 * padding - 3) / stride + 1)
    #expect(y.shape == [2, height, width, 4])
    var expected: [Float] = []
    for picture in 0..<2 {
      for place in 0..<height * width {
        for filter in 0..<4 {
          var sum = bias[filter]
          for tap in 0..<9 {
            let row = place / width * stride + tap / 3 - padding
            let column = place % width * stride + tap % 3 - padding
            guard row >= 0, row < 5, column >= 0, column < 6 else { continue }
            for c in 0..<3 {
              sum += x[((picture * 5 + row) * 6 + column) * 3 + c] * weight[(tap * 3 + c) * 4 + filter]
            }
          }
          expected.append(sum)
        }
      }
    }
    expectClose(y.value.values, expected)
    GradientCheck()([x, weight, bias]) {
      $0.convolution($1[0], weight: $1[1], bias: $1[2], kernel: 3, stride: stride, padding: padding)
    }
  }

  @Test(arguments: [Activation.gelu, .tanh])
  func gradients(activation: Activation) {
    GradientCheck()([x, weight, bias]) {
      $0.convolution(
        $1[0], weight: $1[1], bias: $1[2], kernel: 3, stride: 2, padding: 1, activation: activation)
    }
  }

  @Test func gradientsOfRelu() {
    // Multiples of a quarter plus an eighth: no sum comes near the kink.
    func steps(_ shape: Shape, seed: UInt64) -> Tensor {
      let key = RandomKey(seed: seed)
      return Tensor((0..<shape.count).map { Float(key.integer(UInt64($0), below: 5)) / 2 - 1 }, shape: shape)
    }
    let eighth = Tensor([Float](repeating: 0.125, count: 4), shape: [4])
    GradientCheck()([steps([2, 5, 6, 3], seed: 4), steps([27, 4], seed: 5), eighth]) {
      $0.convolution($1[0], weight: $1[1], bias: $1[2], kernel: 3, stride: 2, padding: 1, activation: .relu)
    }
  }
}
