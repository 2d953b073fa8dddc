import Autograd
import Foundation
import Testing

@Suite struct ReductionTests {
  private let x = Tensor.random([2, 3, 5], seed: 1)
  private let target = Tensor.random([2, 3, 5], seed: 2)
  private let weights = Tensor((0..<30).map { Float($0 % 4) / 2 }, shape: [2, 3, 5])

  @Test func meanAndMaximum() {
    let x = Tensor.spaced([2, 3, 4, 5], seed: 3, gap: 0.1)
    let tape = dirtyTape(recording: false)
    let result = tape.meanAndMaximum(tape.constant(x)).value
    #expect(result.shape == [2, 3, 10])
    let expected = (0..<60).map { place in
      let values = (0..<4).map { x[(place / 10 * 4 + $0) * 5 + place % 5] }
      return place % 10 < 5 ? values.reduce(0, +) / 4 : values.max()!
    }
    expectClose(result.values, expected)
    GradientCheck()([x]) { $0.meanAndMaximum($1[0]) }
  }

  @Test func normalization() {
    let tape = dirtyTape(recording: false)
    let unit = tape.normalize(tape.constant(x)).value
    for row in 0..<6 {
      let length = unit.values[row * 5..<row * 5 + 5].reduce(0) { $0 + $1 * $1 }
      #expect(abs(length - 1) < 1e-5)
    }
    // Rows of some length: near 0 the function bends too sharply for differences.
    let long = Tensor((0..<30).map { x[$0] + ($0 % 5 == 0 ? 3 : 0) }, shape: [2, 3, 5])
    GradientCheck()([long]) { $0.normalize($1[0]) }
    let zero = tape.normalize(tape.constant(Tensor(shape: [1, 5]))).value
    #expect(zero.values == [0, 0, 0, 0, 0])
  }

  @Test func straightThroughPassesTheGradientAsItIs() {
    let tape = dirtyTape(recording: true)
    let input = tape.input(x)
    let output = tape.straightThrough(input, quantized: target)
    #expect(output.value.values == target.values)
    tape.backward(from: output, gradient: weights)
    #expect(tape.gradient(of: input)!.values == weights.values)
  }

  @Test func squaredError() {
    let tape = dirtyTape(recording: false)
    let plain = tape.squaredError(tape.constant(x), target, scale: 0.25).value
    #expect(plain.shape == [1])
    let errors = (0..<30).map { (x[$0] - target[$0]) * (x[$0] - target[$0]) }
    expectClose(plain.values, [0.25 * errors.reduce(0, +)])
    let weighted = tape.squaredError(tape.constant(x), target, weights: weights, scale: 0.25).value
    expectClose(weighted.values, [0.25 * (0..<30).map { weights[$0] * errors[$0] }.reduce(0, +)])
    GradientCheck()([x]) { [target] in $0.squaredError($1[0], target, scale: 0.25) }
    GradientCheck()([x]) { [target, weights] in $0.squaredError($1[0], target, weights: weights, scale: 0.25)
    }
  }

  @Test func aScalarOfOnesOwn() {
    let tape = dirtyTape(recording: true)
    let input = tape.input(x)
    let loss = tape.scalar(42, of: input, gradient: target)
    #expect(loss.value.values == [42])
    tape.backward(from: tape.scale(loss, by: 2))
    let expected = target.values.map { 2 * $0 }
    #expect(tape.gradient(of: input)!.values == expected)
  }

  @Test func crossEntropy() {
    let logits = Tensor.random([2, 3, 7], seed: 4, scale: 2)
    let targets: [Int32] = [0, 6, 3, 2, 2, 5]
    let weights: [Float] = [1, 0, 0.5, 2, 0, 1]
    let tape = dirtyTape(recording: false)
    let losses = (0..<6).map { row in
      let own = logits.values[row * 7..<row * 7 + 7]
      return log(own.reduce(0) { $0 + exp($1) }) - logits[row * 7 + Int(targets[row])]
    }
    let plain = tape.crossEntropy(tape.constant(logits), targets: targets, scale: 0.5)
    expectClose(plain.loss.value.values, [0.5 * losses.reduce(0, +)])
    let weighted = tape.crossEntropy(tape.constant(logits), targets: targets, weights: weights, scale: 0.5)
    expectClose(weighted.loss.value.values, [0.5 * zip(losses, weights).reduce(0) { $0 + $1.0 * $1.1 }])
    func correct(_ rows: [Int]) -> Int {
      rows.count { row in (0..<7).allSatisfy { logits[row * 7 + $0] <= logits[row * 7 + Int(targets[row])] } }
    }
    #expect(plain.correct == correct(Array(0..<6)))
    #expect(weighted.correct == correct([0, 2, 3, 5]))
    GradientCheck()([logits]) { $0.crossEntropy($1[0], targets: targets, scale: 0.5).loss }
    GradientCheck()([logits]) { $0.crossEntropy($1[0], targets: targets, weights: weights, scale: 0.5).loss }
  }
}
