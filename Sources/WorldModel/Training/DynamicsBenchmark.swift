import Autograd
import NeuralNetwork

/// A training step of a dynamics model on random tokens, for measuring speed.
public final class DynamicsBenchmark: @unchecked Sendable {
  /// Share of the tokens that are masked and have to be predicted.
  public static let maskRate: Float = 0.7

  private let dynamics: Dynamics
  private let parallel: DataParallel
  private let optimizer: Optimizer
  private let time: Int
  private let clips: [Clip]

  private struct Clip {
    /// `[time, tokens]`, with masks.
    var shown: [Int32]
    /// Where the masks are, and what is behind them.
    var places: [Int] = []
    var targets: [Int32] = []
  }

  /// - Parameters:
  ///   - clips: of a step.
  ///   - time: frames of a clip.
  ///   - precision: of products.
  public init(
    _ configuration: DynamicsConfiguration, clips: Int, time: Int, workers: Workers, precision: Precision
  ) {
    dynamics = Dynamics(configuration, seed: 0)
    parallel = DataParallel(dynamics.parameters, workers: workers, precision: precision)
    optimizer = Optimizer(dynamics.parameters, OptimizerConfiguration(muonRate: nil), workers: workers)
    self.time = time
    let mask = dynamics.mask
    self.clips = (0..<clips).map { index in
      let key = RandomKey(seed: UInt64(index))
      let codes = (0..<time * configuration.tokens).map {
        Int32(key.integer(UInt64($0), below: configuration.vocabulary))
      }
      var clip = Clip(shown: codes)
      for (place, code) in codes.enumerated()
      where place == 0 || key.uniform(1 << 32 + UInt64(place)) < Self.maskRate {
        clip.shown[place] = mask
        clip.places.append(place)
        clip.targets.append(code)
      }
      return clip
    }
  }

  public var tokensPerStep: Int { clips.count * time * dynamics.configuration.tokens }

  public var parameterCount: Int { dynamics.parameters.all.reduce(0) { $0 + $1.shape.count } }

  /// Bytes of the activations of one worker.
  public var activationBytes: Int { parallel.tapes[0].arena.byteCount }

  /// Of the whole step, see ``DynamicsConfiguration/trainingFlops(clips:time:predicted:)``.
  public var flopsPerStep: Double {
    dynamics.configuration.trainingFlops(clips: clips.count, time: time, predicted: predicted)
  }

  private var predicted: Int { clips.reduce(0) { $0 + $1.places.count } }

  /// One step: forward, backward, update.
  public func step() {
    let scale = 1 / Float(predicted)
    let (gradients, _) = parallel.gradients(parts: clips.count) { [self] part, _, tape in
      let clip = clips[part]
      let actions = [Int32](repeating: 0, count: time)
      let hidden = dynamics.hidden(tape, tokens: clip.shown, actions: actions, batch: 1, time: time)
      let logits = dynamics.head(tape, tape.rows(hidden, clip.places))
      return (tape.crossEntropy(logits, targets: clip.targets, scale: scale).loss, 0)
    }
    optimizer.update(gradients, progress: 0)
    parallel.tapes[0].profile?.mark("optimizer")
  }

  /// One step, and what every worker's time went to.
  public func profiledStep() -> [Profile] {
    let profiles = parallel.tapes.map { _ in Profile() }
    for (tape, profile) in zip(parallel.tapes, profiles) { tape.profile = profile }
    defer { for tape in parallel.tapes { tape.profile = nil } }
    step()
    return profiles
  }
}
