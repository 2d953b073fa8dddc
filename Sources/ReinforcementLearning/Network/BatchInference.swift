import Autograd
import NeuralNetwork

/// Runs an ``ActorCritic`` over the rows of a batch, a share of the rows on each worker.
public final class BatchInference: @unchecked Sendable {
  public let network: ActorCritic
  private let workers: Workers
  private let tapes: [Tape]

  public init(_ network: ActorCritic, workers: Workers) {
    self.network = network
    self.workers = workers
    tapes = (0..<workers.count).map { _ in Tape(arena: Arena()) }
  }

  /// - Parameter observations: `[count, H, W, C]`, UInt8.
  /// - Returns: logits `[count, A]` and values `[count]`.
  public func callAsFunction(
    _ observations: [UInt8], count: Int
  ) -> (logits: [Float], values: [Float]) {
    let size = network.configuration.observationSpace.byteCount
    let actions = network.configuration.actions.count
    precondition(
      observations.count == count * size, "\(observations.count) bytes for \(count) observations of \(size)")
    let share = (count + workers.count - 1) / workers.count
    let results = Slots<(logits: [Float], values: [Float])>(count: workers.count)
    workers.run { [self] worker in
      let rows = min(count, worker * share)..<min(count, (worker + 1) * share)
      let tape = tapes[worker]
      tape.reset()
      results[worker] = observations.withUnsafeBufferPointer { bytes in
        guard !rows.isEmpty, let start = bytes.baseAddress else { return ([], []) }
        let (logits, values) = network(
          tape, network.observations(tape, rows: rows.map { start + $0 * size }))
        return (logits.value.values, values.value.values)
      }
    }
    let all = results.all
    let logits = all.flatMap(\.logits)
    precondition(logits.count == count * actions, "\(logits.count) logits for \(count) x \(actions)")
    return (logits, all.flatMap(\.values))
  }
}
