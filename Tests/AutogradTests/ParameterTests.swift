import Autograd
import Testing

@Suite struct ParameterTests {
  /// A layer more or less does not change how the others start.
  @Test func initialValuesDependOnSeedAndNameAlone() {
    let (few, many, other) = (Parameters(seed: 1), Parameters(seed: 1), Parameters(seed: 2))
    let wanted = few.make("b", [4, 4], .hidden, .normal(standardDeviation: 0.5)).value.values
    let first = many.make("a", [4, 4], .hidden, .normal(standardDeviation: 0.5)).value.values
    #expect(many.make("b", [4, 4], .hidden, .normal(standardDeviation: 0.5)).value.values == wanted)
    #expect(first != wanted)
    #expect(other.make("b", [4, 4], .hidden, .normal(standardDeviation: 0.5)).value.values != wanted)
  }

  @Test func initializers() {
    let parameters = Parameters(seed: 1)
    #expect(parameters.make("c", [3], .vector, .constant(2)).value.values == [2, 2, 2])
    #expect(parameters.make("v", [2], .vector, .values([5, 6])).value.values == [5, 6])
    let normal = parameters.make("n", [100, 100], .hidden, .normal(standardDeviation: 0.5)).value.values
    let energy = normal.reduce(0) { $0 + $1 * $1 } / 10_000
    #expect(abs(energy - 0.25) < 0.02)
    #expect(parameters.count == 10_005)
    #expect(parameters.all.map(\.name) == ["c", "v", "n"])
  }

  @Test func gradientsDoNotOverlap() {
    let parameters = Parameters(seed: 1)
    let all = [3, 17, 1].map { parameters.make("p\($0)", [$0], .vector, .constant(0)) }
    let gradients = Gradients(parameters)
    for (index, parameter) in all.enumerated() { gradients.tensor(parameter).fill(Float(index + 1)) }
    #expect(gradients.tensor(all[0]).values == [1, 1, 1])
    #expect(gradients.tensor(all[1]).values == [Float](repeating: 2, count: 17))
    #expect(gradients.tensor(all[2]).values == [3])
    #expect(gradients.flat.values.reduce(0, +) == 40)
  }

  @Test func aNameIsTakenOnce() async {
    await #expect(processExitsWith: .failure) {
      let parameters = Parameters(seed: 1)
      _ = parameters.make("a", [1], .vector, .constant(0))
      _ = parameters.make("a", [1], .vector, .constant(0))
    }
  }
}
