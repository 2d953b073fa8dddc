import Autograd
import Foundation
import Testing

@testable import ReinforcementLearning

@Suite struct PPOLossTests {
  /// Rows on all sides of the clip: ratio below, within and above it, with advantages of both signs.
  let actions: [Int32] = [0, 1, 2, 0, 1, 2]
  let advantages: [Float] = [1.5, -0.7, 2, -1.2, 0.4, -2]
  let offsets: [Float] = [-0.6, -0.5, 0.05, -0.05, 0.7, 0.8]
  let logits: [Float] = (0..<18).map { 0.8 * RandomKey(seed: 4).normal(UInt64($0)) }

  /// Likelihoods of the rollout that put each row at its offset from the present policy.
  var oldLogLikelihoods: [Float] {
    (0..<6).map { row in
      let source = Array(logits[row * 3..<row * 3 + 3])
      let total = source.reduce(0) { $0 + exp($1) }
      return source[Int(actions[row])] - log(total) - offsets[row]
    }
  }

  private func policy(_ loss: PPOLoss, _ logits: [Float]) -> (value: Float, gradient: [Float]) {
    let tape = Tape(arena: Arena(), gradients: Gradients(Parameters(seed: 0)))
    let input = tape.input(Tensor(logits, shape: [6, 3]))
    let (result, _) = loss.policy(
      tape, logits: input, actions: actions, oldLogLikelihoods: oldLogLikelihoods, advantages: advantages,
      scale: 0.5)
    tape.backward(from: result)
    return (result.value[0], tape.gradient(of: input)!.values)
  }

  @Test(arguments: [Float(0), 0.3])
  func policyGradientIsThatOfTheLoss(entropyCoefficient: Float) {
    let loss = PPOLoss(clip: 0.2, entropyCoefficient: entropyCoefficient, clipsValues: false)
    let (_, gradient) = policy(loss, logits)
    for i in logits.indices {
      var (above, below) = (logits, logits)
      above[i] += 1e-2
      below[i] -= 1e-2
      let numerical = (policy(loss, above).value - policy(loss, below).value) / 2e-2
      #expect(abs(gradient[i] - numerical) < 2e-3, "logit \(i): \(gradient[i]) and \(numerical)")
    }
  }

  @Test func clippedRowsDoNotPull() {
    let loss = PPOLoss(clip: 0.2, entropyCoefficient: 0, clipsValues: false)
    let (_, gradient) = policy(loss, logits)
    let pulls = (0..<6).map { row in gradient[row * 3..<row * 3 + 3].contains { $0 != 0 } }
    // Clipped are a bad action made rarer (row 1) and a good one made likelier (row 4), each beyond the
    // range.
    #expect(pulls == [true, false, true, true, false, true])
  }

  @Test func figuresAreSumsOverRows() {
    let tape = Tape(arena: Arena())
    let loss = PPOLoss(clip: 0.2, entropyCoefficient: 0, clipsValues: false)
    let (value, sums) = loss.policy(
      tape, logits: tape.constant(Tensor([0, 0], shape: [1, 2])), actions: [0],
      oldLogLikelihoods: [log(0.25)], advantages: [1], scale: 1)
    // The ratio is 0.5 / 0.25 = 2, held at 1.2.
    #expect(abs(value.value[0] + 1.2) < 1e-6)
    #expect(abs(sums.entropy - log(2)) < 1e-6)
    #expect(abs(sums.divergence - (1 - log(2))) < 1e-6)
    #expect(sums.clipped == 1)
  }

  @Test(arguments: [false, true])
  func valueGradientIsThatOfTheLoss(clipsValues: Bool) {
    let loss = PPOLoss(clip: 0.2, entropyCoefficient: 0, clipsValues: clipsValues)
    let values: [Float] = [1, 0.5, 2, -1]
    let old: [Float] = [0.9, 1.5, 1.0, -0.5]
    let returns: [Float] = [2, 0.2, 0, 0.5]
    func evaluate(_ values: [Float]) -> (value: Float, gradient: [Float]) {
      let tape = Tape(arena: Arena(), gradients: Gradients(Parameters(seed: 0)))
      let input = tape.input(Tensor(values, shape: [4, 1]))
      let (result, _) = loss.value(tape, values: input, oldValues: old, returns: returns, scale: 0.25)
      tape.backward(from: result)
      return (result.value[0], tape.gradient(of: input)!.values)
    }
    let (value, gradient) = evaluate(values)
    // Held at 1.3, row 1 is farther from its return than it is unheld, and counts so.
    let errors: [Float] = clipsValues ? [1, 1.1, 2, 1.5] : [1, 0.3, 2, 1.5]
    #expect(abs(value - errors.reduce(0) { $0 + $1 * $1 } / 8) < 1e-5)
    for i in values.indices {
      var (above, below) = (values, values)
      above[i] += 1e-2
      below[i] -= 1e-2
      let numerical = (evaluate(above).value - evaluate(below).value) / 2e-2
      #expect(abs(gradient[i] - numerical) < 1e-3)
    }
  }
}
