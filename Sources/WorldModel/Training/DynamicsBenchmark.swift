import Autograd
import NeuralNetwork

/// A training step of a dynamics model on random tokens, for measuring speed.
public final class DynamicsBenchmark: @unchecked Sendable {
  private let dynamics: Dynamics
  private let parallel: DataParallel
  private let optimizer: Optimizer
  private let clips: Int
  private let time: Int

  /// - Parameters:
  ///   - clips: of a step.
  ///   - time: frames of a clip.
  public init(
    _ configuration: DynamicsConfiguration, clips: Int, time: Int, workers: Workers, precision: Precision
  ) {
    dynamics = Dynamics(configuration, seed: 0)
    parallel = DataParallel(dynamics.parameters, workers: workers, precision: precision)
    optimizer = Optimizer(dynamics.parameters, OptimizerConfiguration(muonRate: nil))
    self.clips = clips
    self.time = time
  }

  public var tokensPerStep: Int { clips * time * dynamics.configuration.tokens }

  /// Multiply-adds of matrices and attention in one forward pass, for each token, times two.
  public var flopsPerToken: Double {
    let d = dynamics.configuration
    let matrices = 16.0 * Double(d.channels * d.channels * d.blocks) + Double(d.channels * d.vocabulary)
    let attention = Double(d.blocks) * 2 * Double(d.channels * (d.tokens + min(time, d.window)))
    return 2 * (matrices + attention)
  }

  /// One step: forward, backward, update.
  public func step() {
    let d = dynamics.configuration
    let (gradients, _) = parallel.gradients(parts: clips) { [self] part, _, tape in
      let key = RandomKey(seed: UInt64(part))
      let targets = (0..<time * d.tokens).map { Int32(key.integer(UInt64($0), below: d.vocabulary)) }
      let shown = targets.indices.map {
        key.uniform(UInt64($0 + 1 << 32)) < 0.7 ? dynamics.mask : targets[$0]
      }
      let actions = [Int32](repeating: 0, count: time)
      let hidden = dynamics.hidden(tape, tokens: shown, actions: actions, batch: 1, time: time)
      let (loss, _) = tape.crossEntropy(
        dynamics.head(tape, hidden), targets: targets, scale: 1 / Float(tokensPerStep))
      return (loss, 0)
    }
    optimizer.update(gradients, progress: 0)
  }
}
