import Autograd
import Testing

@Suite struct TapeTests {
  @Test func gradientsOfParametersGoToTheirPlaces() {
    let parameters = Parameters(seed: 1)
    let first = parameters.make("first", [3, 2], .hidden, .normal(standardDeviation: 1))
    let second = parameters.make("second", [2], .vector, .constant(0.5))
    let unused = parameters.make("unused", [5], .vector, .constant(1))
    let gradients = Gradients(parameters)
    let tape = Tape(arena: Arena(), gradients: gradients)
    let x = Tensor.random([4, 3], seed: 2)
    let y = tape.linear(tape.constant(x), weight: tape.variable(first), bias: tape.variable(second))
    let seed = Tensor.random([4, 2], seed: 3)
    tape.backward(from: y, gradient: seed)
    let weights: [Float] = (0..<6).map { place in
      (0..<4).map { row in x[row * 3 + place / 2] * seed[row * 2 + place % 2] }.reduce(0, +)
    }
    expectClose(gradients.tensor(first).values, weights)
    let sums: [Float] = (0..<2).map { c in (0..<4).map { row in seed[row * 2 + c] }.reduce(0, +) }
    expectClose(gradients.tensor(second).values, sums)
    #expect(gradients.tensor(unused).values == [0, 0, 0, 0, 0])
    gradients.clear()
    #expect(gradients.flat.values.allSatisfy { $0 == 0 })
  }

  /// Gradients add up over uses within a step and over steps until they are cleared.
  @Test func gradientsOfAParameterAccumulate() {
    let parameters = Parameters(seed: 1)
    let weight = parameters.make("weight", [3], .vector, .values([1, 2, 3]))
    let gradients = Gradients(parameters)
    let tape = Tape(arena: Arena(), gradients: gradients)
    for _ in 0..<2 {
      tape.reset()
      let (a, b) = (tape.variable(weight), tape.variable(weight))
      tape.backward(
        from: tape.add(a, tape.add(b, a, scale: 2), scale: 10), gradient: Tensor([1, 1, 1], shape: [3]))
    }
    #expect(gradients.tensor(weight).values == [62, 62, 62])
  }

  @Test func aParameterOfAnotherModelIsAConstant() {
    let (own, other) = (Parameters(seed: 1), Parameters(seed: 2))
    let (mine, foreign) = (
      own.make("p", [2], .vector, .constant(1)), other.make("p", [2], .vector, .constant(1))
    )
    let tape = Tape(arena: Arena(), gradients: Gradients(own))
    #expect(tape.gradient(of: tape.variable(mine)) != nil)
    #expect(tape.gradient(of: tape.variable(foreign)) == nil)
  }

  @Test func constantsGetNoGradient() {
    let tape = dirtyTape(recording: true)
    let (x, y) = (Tensor([1, 2], shape: [2]), Tensor([3, 4], shape: [2]))
    let (constant, input) = (tape.constant(x), tape.input(y))
    let sum = tape.add(constant, input)
    tape.backward(from: sum, gradient: Tensor([1, 1], shape: [2]))
    #expect(tape.gradient(of: constant) == nil)
    #expect(tape.gradient(of: input)!.values == [1, 1])
    #expect(
      tape.gradient(of: tape.add(constant, constant)) == nil, "nothing is recorded where nobody wants it")
  }

  /// What the backward pass starts from is one value among others: branches that do not lead to it get nothing.
  @Test func onlyWhatLeadsToTheOutputGetsAGradient() {
    let tape = dirtyTape(recording: true)
    let x = tape.input(Tensor([1, 2], shape: [2]))
    let used = tape.scale(x, by: 3)
    _ = tape.scale(x, by: 100)
    tape.backward(from: used, gradient: Tensor([1, 1], shape: [2]))
    #expect(tape.gradient(of: x)!.values == [3, 3])
  }

  @Test func backwardFromAValueThatIsNotScalarTraps() async {
    await #expect(processExitsWith: .failure) {
      let tape = Tape(arena: Arena(), gradients: Gradients(Parameters(seed: 0)))
      tape.backward(from: tape.input(Tensor(shape: [2])))
    }
  }
}
