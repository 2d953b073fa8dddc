import Autograd
import Foundation
import NeuralNetwork
import Reporting
import Video

/// Trains dynamics models of several sizes on the same tokens, each for the same number of steps, and keeps every loss: how
/// loss falls with compute (Genie, section 3.1).
public final class ScalingStudy {
  /// One training.
  public struct Run: Sendable, Codable {
    /// Trained values.
    public var parameters: Int
    public var channels: Int
    public var blocks: Int
    /// Clips of a step.
    public var batch: Int
    /// Of one step; see ``DynamicsConfiguration/trainingFlops(clips:time:predicted:)``.
    public var stepFlops: Double
    /// Cross-entropy of the masked tokens, in nats, one a step. No clip is shown twice in a short training, so that this is
    /// the loss on video that was never seen.
    public var losses: [Double]
    public var seconds: Double

    /// Mean loss of the last tenth.
    public var loss: Double {
      let last = losses.suffix(max(1, losses.count / 10))
      return last.reduce(0, +) / Double(last.count)
    }
    public var flops: Double { stepFlops * Double(losses.count) }
  }

  private let tokens: Genie
  private let data: TrainingData
  private let store: TokenStore
  private let workers: Workers
  private let seed: UInt64
  private let time: Int

  /// - Parameters:
  ///   - tokens: whose tokenizer and latent actions are used.
  ///   - folder: where the tokens are kept.
  ///   - time: frames of a clip.
  public init(
    _ tokens: Genie, clips: ClipFolder, folder: URL, time: Int, seed: UInt64, workers: Workers,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    self.tokens = tokens
    self.time = time
    self.seed = seed
    self.workers = workers
    data = TrainingData(clips, heldOut: 0.05)
    store = try TokenStore(tokens, folder: clips, keptIn: folder, workers: workers, progress: progress)
  }

  /// The model of one size, for the tokens of this study.
  public func dynamics(channels: Int, blocks: Int, heads: Int) -> DynamicsConfiguration {
    var dynamics = tokens.configuration.dynamics
    (dynamics.channels, dynamics.blocks, dynamics.heads) = (channels, blocks, heads)
    dynamics.headWidth = nil
    return dynamics
  }

  /// Trains one size.
  /// - Parameter progress: told each step's number and loss.
  /// - Throws: ``GenieError``, ``TrainingError/diverged(stage:step:)``
  public func train(
    _ dynamics: DynamicsConfiguration, batch: Int, steps: Int,
    progress: (_ step: Int, _ loss: Double) -> Void = { _, _ in }
  ) throws -> Run {
    var configuration = tokens.configuration
    configuration.dynamics = dynamics
    let genie = try Genie(configuration, seed: seed)
    for (mine, others) in [
      (genie.tokenizer.state, tokens.tokenizer.state),
      (genie.latentActions.state, tokens.latentActions.state),
    ] {
      for (name, tensor) in mine { tensor.copy(from: others[name]!) }
    }
    var training = TrainingConfiguration(
      dynamics: StageConfiguration(
        steps: steps, batch: batch, time: time, optimizer: .init(warmup: max(1, steps / 10))))
    // One length from the first step to the last: a step costs the same.
    training.shortShare = 0
    let stage = try DynamicsStage(
      genie, training: training, store: store, data: data, workers: workers, seed: seed)
    var losses: [Double] = []
    let start = ContinuousClock.now
    for step in 0..<steps {
      let figures = stage.step(step, progress: Double(step) / Double(steps))
      let loss = figures.first { $0.name == "loss" }!.value
      guard loss.isFinite else { throw TrainingError.diverged(stage: stage.name, step: step) }
      losses.append(loss)
      progress(step + 1, loss)
    }
    let duration = (ContinuousClock.now - start).components
    return Run(
      parameters: dynamics.parameterCount, channels: dynamics.channels, blocks: dynamics.blocks, batch: batch,
      stepFlops: stepFlops(dynamics, batch: batch), losses: losses,
      seconds: Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
  }

  /// What one step of a size costs.
  public func stepFlops(_ dynamics: DynamicsConfiguration, batch: Int) -> Double {
    let masked = Double(batch * time * dynamics.tokens) * MaskingConfiguration().expectedRate
    return dynamics.trainingFlops(clips: batch, time: time, predicted: Int(masked))
  }
}

extension MaskingConfiguration {
  /// The share of tokens that are masked, first frames aside.
  fileprivate var expectedRate: Double {
    Double((1 - clean) * (full + (1 - full) * (1 + lowestRate) / 2))
  }
}
