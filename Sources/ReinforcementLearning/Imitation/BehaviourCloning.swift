import Autograd
import Environments
import NeuralNetwork

/// Imitates somebody whose frames and actions are known: cross-entropy from what is seen to what was done.
///
/// With latent actions that a world model found in video, it is imitation from observation (Genie, appendix E): nobody
/// ever said what was pressed.
public struct BehaviourCloning: Sendable {
  /// Steps of the optimizer, and transitions of each.
  public var steps: Int
  public var batch: Int
  /// Adam's rate at the start; it falls to 0 along a cosine.
  public var learningRate: Float
  public var seed: UInt64

  public init(steps: Int = 1500, batch: Int = 128, learningRate: Float = 1e-3, seed: UInt64 = 1) {
    self.steps = steps
    self.batch = batch
    self.learningRate = learningRate
    self.seed = seed
  }

  /// Rows that go through the network together.
  private static let rowsPerPart = 32

  /// - Parameters:
  ///   - observations: `[transitions, H, W, C]`, UInt8; C of all stacked frames.
  ///   - actions: `[transitions]`, in `0..<actions` of the network.
  ///   - progress: told the number of steps done, and the share of the last batch that was predicted.
  /// - Returns: the network; its value head is untrained.
  /// - Throws: ``PolicyError``
  public func train(
    _ configuration: ActorCriticConfiguration, observations: [UInt8], actions: [Int32], workers: Workers,
    progress: (Int, Double) -> Void = { _, _ in }
  ) throws(PolicyError) -> ActorCritic {
    let network = try ActorCritic(configuration, seed: seed)
    let size = configuration.observationSpace.byteCount
    precondition(
      observations.count == actions.count * size && !actions.isEmpty,
      "\(observations.count) bytes for \(actions.count) observations of \(size)")
    let parallel = DataParallel(network.parameters, workers: workers)
    let optimizer = Optimizer(
      network.parameters,
      OptimizerConfiguration(
        rate: learningRate, muonRate: nil, weightDecay: 1e-4, beta1: 0.9, beta2: 0.999, clip: 1, warmup: 20,
        floor: 0))
    let key = RandomKey(seed: seed).folded(in: "cloning")
    for step in 0..<steps {
      let own = key.folded(in: UInt64(step))
      let rows = (0..<batch).map { own.integer(UInt64($0), below: actions.count) }
      let parts = (batch + Self.rowsPerPart - 1) / Self.rowsPerPart
      let (gradients, correct) = parallel.gradients(parts: parts) { [batch] part, _, tape in
        let part = Array(rows[part * Self.rowsPerPart..<min(batch, (part + 1) * Self.rowsPerPart)])
        let pixels = observations.withUnsafeBufferPointer { bytes in
          network.observations(tape, rows: part.map { bytes.baseAddress! + $0 * size })
        }
        let (loss, correct) = tape.crossEntropy(
          network(tape, pixels).logits, targets: part.map { actions[$0] }, scale: 1 / Float(batch))
        return (loss, correct)
      }
      _ = optimizer.update(gradients, progress: Double(step) / Double(steps))
      progress(step + 1, Double(correct.reduce(0, +)) / Double(batch))
    }
    return network
  }
}
