import Autograd
import Testing

@Suite struct LinearTests {
  private let x = Tensor.random([2, 3, 5], seed: 1)
  private let weight = Tensor.random([5, 7], seed: 2)
  private let bias = Tensor.random([7], seed: 3)

  @Test func valuesAreSumsOfProducts() {
    let tape = dirtyTape(recording: false)
    let residual = Tensor.random([2, 3, 7], seed: 4)
    let y = tape.linear(
      tape.constant(x), weight: tape.constant(weight), bias: tape.constant(bias),
      residual: tape.constant(residual))
    #expect(y.shape == [2, 3, 7])
    let expected = (0..<42).map { place in
      (0..<5).reduce(bias[place % 7] + residual[place]) {
        $0 + x[place / 7 * 5 + $1] * weight[$1 * 7 + place % 7]
      }
    }
    expectClose(y.value.values, expected)
  }

  @Test(arguments: [Activation.none, .gelu, .tanh])
  func gradients(activation: Activation) {
    GradientCheck()([x, weight, bias]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], bias: inputs[2], activation: activation)
    }
    GradientCheck()([x, weight]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], activation: activation)
    }
  }

  @Test func gradientsOfRelu() {
    // Multiples of a quarter plus an eighth: no sum comes near the kink.
    func steps(_ shape: Shape, seed: UInt64) -> Tensor {
      let key = RandomKey(seed: seed)
      return Tensor((0..<shape.count).map { Float(key.integer(UInt64($0), below: 5)) / 2 - 1 }, shape: shape)
    }
    let eighth = Tensor([Float](repeating: 0.125, count: 7), shape: [7])
    GradientCheck()([steps([2, 3, 5], seed: 1), steps([5, 7], seed: 2), eighth]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], bias: inputs[2], activation: .relu)
    }
  }

  @Test func gradientsWithResidual() {
    let residual = Tensor.random([2, 3, 7], seed: 4)
    GradientCheck()([x, weight, bias, residual]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], bias: inputs[2], residual: inputs[3])
    }
    GradientCheck()([x, weight, residual]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], residual: inputs[2])
    }
  }

  @Test func theResidualMayBeTheInput() {
    let square = Tensor.random([5, 5], seed: 5)
    GradientCheck()([x, square]) { tape, inputs in
      tape.linear(inputs[0], weight: inputs[1], residual: inputs[0])
    }
  }

  @Test func products() {
    let (a, b) = (Tensor.random([3, 4], seed: 1), Tensor.random([4, 2], seed: 2))
    func transposed(_ t: Tensor) -> Tensor {
      let (m, n) = (t.shape[0], t.shape[1])
      return Tensor((0..<m * n).map { t[$0 % m * n + $0 / m] }, shape: [n, m])
    }
    let expected = (0..<6).map { place in
      (0..<4).reduce(Float(0)) { $0 + a[place / 2 * 4 + $1] * b[$1 * 2 + place % 2] }
    }
    let c = Tensor([1, 1, 1, 1, 1, 1], shape: [3, 2])
    c.assignProduct(a, b, alpha: 2, beta: 3)
    expectClose(c.values, expected.map { 2 * $0 + 3 })
    c.assignProduct(transposed(a), transposedA: true, b)
    expectClose(c.values, expected)
    c.assignProduct(a, transposed(b), transposedB: true)
    expectClose(c.values, expected)
    c.assignProduct(transposed(a), transposedA: true, transposed(b), transposedB: true)
    expectClose(c.values, expected)
  }
}
