import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

/// What several processes do together is what one does with as many workers.
@Suite struct CollectiveTests {
  @Test(arguments: [1, 2, 3]) func gatheredValuesAreThoseOfAllRanks(ranks: Int) throws {
    let all = try ThreadCollective.run(ranks) { collective in
      (
        collective.gathered([Int](repeating: collective.rank, count: collective.rank)),
        collective.shared(7.5 + Double(collective.rank))
      )
    }
    for (values, shared) in all {
      #expect(values == (0..<ranks).map { [Int](repeating: $0, count: $0) })
      #expect(shared == 7.5)
    }
  }

  /// Every part is somebody's, and nobody's twice.
  @Test(arguments: [[1, 1], [2, 2], [1, 3, 2]]) func partsAreSharedOutWithoutOverlap(counts: [Int]) throws {
    for parts in [0, 1, 5, 24] {
      let taken = try ThreadCollective.run(counts.count) { collective in
        let workers = Workers(count: counts[collective.rank], collective: collective)
        #expect(workers.counts == counts)
        let own = (0..<workers.count).flatMap { Array(workers.parts(parts, worker: $0)) }
        #expect(own.sorted() == workers.parts(parts, of: collective.rank))
        return own
      }
      #expect(taken.flatMap { $0 }.sorted() == Array(0..<parts))
    }
  }

  @Test func runsCoverAllParameters() {
    let parameters = Parameters(seed: 1)
    for (index, size) in [3, 100, 40, 1, 700, 16].enumerated() {
      _ = parameters.make("p\(index)", [size], .vector, .constant(0))
    }
    for count in 1...9 {
      let runs = parameters.runs(count)
      #expect(runs.map { Array($0.parameters) }.flatMap { $0 } == Array(0..<6))
      #expect(runs.map { Array($0.floats) }.flatMap { $0 } == Array(0..<parameters.gradientCount))
    }
  }

  /// A network of three layers and its optimizer, on some of the workers.
  private struct Training {
    let parameters = Parameters(seed: 1)
    let layers: [Linear]
    let optimizer: Optimizer
    let parallel: DataParallel

    init(_ workers: Workers) {
      let p = parameters
      layers = [
        Linear(p, "first", inputs: 2, outputs: 16, activation: .gelu),
        Linear(p, "second", inputs: 16, outputs: 16, activation: .gelu),
        Linear(p, "third", inputs: 16, outputs: 1, role: .outer),
      ]
      optimizer = Optimizer(p, OptimizerConfiguration(rate: 0.02, warmup: 3), workers: workers)
      parallel = DataParallel(p, workers: workers)
    }

    func step(_ step: Int) -> [Float] {
      let key = RandomKey(seed: 5).folded(in: UInt64(step))
      let layers = layers
      let (gradients, losses) = parallel.gradients(parts: 7) { part, _, tape in
        let (x, y) = (tape.arena.tensor([5, 2]), tape.arena.tensor([5, 1]))
        for row in 0..<5 {
          let (a, b) = (key.normal(UInt64(part * 10 + row * 2)), key.normal(UInt64(part * 10 + row * 2 + 1)))
          (x[row * 2], x[row * 2 + 1], y[row]) = (a, b, a * b + a)
        }
        let output = layers.reduce(tape.constant(x)) { $1(tape, $0) }
        let loss = tape.squaredError(output, y, scale: 1 / 35)
        return (loss, loss.value[0])
      }
      optimizer.update(gradients, progress: Double(step) / 40)
      return losses
    }
  }

  /// Two processes of one worker are two workers of one process; more differ by the order of sums.
  @Test(arguments: [(2, 1, Float(0)), (3, 1, 2e-4), (2, 2, 2e-4)])
  func processesTrainAsWorkersDo(ranks: Int, each: Int, tolerance: Float) throws {
    let alone = Training(Workers(count: ranks * each))
    let expected = (0..<40).map { alone.step($0) }
    let all = try ThreadCollective.run(ranks) { collective -> ([[Float]], [[Float]], [String: [Float]]) in
      let training = Training(Workers(count: each, collective: collective))
      let losses = (0..<40).map { training.step($0) }
      training.optimizer.gatherState()
      return (
        losses, training.parameters.all.map(\.value.values), training.optimizer.state.mapValues(\.values)
      )
    }
    for (losses, values, state) in all {
      for (own, other) in zip(losses, expected) { expectClose(own, other, tolerance: tolerance) }
      for (own, other) in zip(values, alone.parameters.all) {
        expectClose(own, other.value.values, tolerance: 10 * tolerance)
      }
      #expect(values == all[0].1, "all ranks have the same parameters")
      for (name, other) in alone.optimizer.state {
        expectClose(state[name]!, other.values, tolerance: 10 * tolerance)
      }
    }
  }

  /// A codebook moves by what the workers of all processes saw.
  @Test func statisticsAreThoseOfAllRanks() throws {
    @Sendable func quantizer() -> VectorQuantizer {
      VectorQuantizer(.init(codes: 4, width: 3), key: RandomKey(seed: 2))
    }
    @Sendable func see(_ rank: Int, _ quantizer: VectorQuantizer, _ statistics: QuantizerStatistics) {
      let key = RandomKey(seed: 9).folded(in: UInt64(rank))
      let x = Tensor((0..<30).map { key.normal(UInt64($0)) }, shape: [10, 3])
      let tape = Tape(arena: Arena())
      _ = quantizer(tape, tape.constant(x), scale: 1, statistics: statistics)
    }
    let alone = quantizer()
    for step in 0..<3 {
      let statistics = [QuantizerStatistics(), QuantizerStatistics()]
      for rank in 0..<2 { see(rank, alone, statistics[rank]) }
      alone.update(statistics, key: RandomKey(seed: UInt64(step)))
    }
    let codebooks = try ThreadCollective.run(2) { collective -> [Float] in
      let own = quantizer()
      for step in 0..<3 {
        let statistics = QuantizerStatistics()
        see(collective.rank, own, statistics)
        own.update([statistics], of: collective, key: RandomKey(seed: UInt64(step)))
      }
      return own.codebook.values
    }
    #expect(codebooks == [alone.codebook.values, alone.codebook.values])
  }
}
