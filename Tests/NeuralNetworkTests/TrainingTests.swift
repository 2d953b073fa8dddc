import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// Learns a function of two numbers with a small network.
private final class Regression: @unchecked Sendable {
  let parameters = Parameters(seed: 1)
  let first: Linear
  let second: Linear
  let optimizer: Optimizer
  let parallel: DataParallel

  init(workers: Int, muonRate: Float? = 0.02) {
    first = Linear(parameters, "first", inputs: 2, outputs: 16, activation: .gelu)
    second = Linear(parameters, "second", inputs: 16, outputs: 1, role: .outer)
    optimizer = Optimizer(parameters, OptimizerConfiguration(rate: 0.02, muonRate: muonRate, warmup: 5))
    parallel = DataParallel(parameters, workers: Workers(count: workers))
  }

  /// A batch of 7 parts of 5 rows, different in every step.
  func gradients(step: Int) -> (gradients: Gradients, losses: [Float]) {
    let key = RandomKey(seed: 5).folded(in: UInt64(step))
    let (gradients, losses) = parallel.gradients(parts: 7) { [self] part, _, tape in
      let x = tape.arena.tensor([5, 2])
      let y = tape.arena.tensor([5, 1])
      for row in 0..<5 {
        let (a, b) = (key.normal(UInt64(part * 10 + row * 2)), key.normal(UInt64(part * 10 + row * 2 + 1)))
        (x[row * 2], x[row * 2 + 1], y[row]) = (a, b, a * b + a)
      }
      let loss = tape.squaredError(second(tape, first(tape, tape.constant(x))), y, scale: 1 / 35)
      return (loss, loss.value[0])
    }
    return (gradients, losses)
  }

  @discardableResult
  func train(_ steps: Range<Int>, of total: Int) -> [Float] {
    steps.map { step in
      let (gradients, losses) = gradients(step: step)
      optimizer.update(gradients, progress: Double(step) / Double(total))
      return losses.reduce(0, +)
    }
  }
}

@Suite struct TrainingTests {
  @Test(arguments: [0.02, nil] as [Float?]) func trainingReducesTheLoss(muonRate: Float?) {
    let losses = Regression(workers: 2, muonRate: muonRate).train(0..<400, of: 400)
    let (start, end) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
    #expect(end < 0.1 * start)
  }

  @Test func workersGiveTheSameGradients() {
    let (one, two, three) = (Regression(workers: 1), Regression(workers: 2), Regression(workers: 3))
    let (expected, losses) = one.gradients(step: 0)
    for other in [two, three] {
      let (gradients, reports) = other.gradients(step: 0)
      expectClose(gradients.flat.values, expected.flat.values, tolerance: 1e-6)
      #expect(reports == losses, "what the parts reported, in order")
    }
    // Bit for bit with the same number of workers, and nothing is left from the step before.
    let first = two.gradients(step: 0).gradients.flat.values
    _ = two.gradients(step: 1)
    #expect(two.gradients(step: 0).gradients.flat.values == first)
  }

  @Test func moreWorkersThanParts() {
    let parameters = Parameters(seed: 1)
    let weight = parameters.make("weight", [1], .vector, .constant(2))
    let parallel = DataParallel(parameters, workers: Workers(count: 4))
    for _ in 0..<2 {
      let (gradients, reports) = parallel.gradients(parts: 2) { part, _, tape in
        (tape.scale(tape.variable(weight), by: Float(part + 1)), part)
      }
      #expect(gradients.tensor(weight).values == [3])
      #expect(reports == [0, 1])
    }
  }

  @Test func aResumedTrainingRepeatsTheUninterruptedOneBitForBit() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("training.safetensors")
    let whole = Regression(workers: 2)
    whole.train(0..<10, of: 10)

    let begun = Regression(workers: 2)
    begun.train(0..<5, of: 10)
    try Checkpoint.write(
      begun.parameters.state.merging(begun.optimizer.state) { $1 }, configuration: begun.optimizer.step,
      to: file)

    let resumed = Regression(workers: 2)
    try Checkpoint.read(into: resumed.parameters.state.merging(resumed.optimizer.state) { $1 }, from: file)
    resumed.optimizer.didRestore(step: try Checkpoint.configuration(Int.self, from: file))
    resumed.train(5..<10, of: 10)
    #expect(resumed.optimizer.step == 10)
    #expect(resumed.parameters.state.mapValues(\.values) == whole.parameters.state.mapValues(\.values))
    #expect(resumed.optimizer.state.mapValues(\.values) == whole.optimizer.state.mapValues(\.values))
  }
}
