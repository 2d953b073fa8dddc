import Autograd
import Foundation
import NeuralNetwork
import Video

/// Trains a critic to tell frames of the video from frames that the world itself dreams.
final class CriticStage: TrainingStage, @unchecked Sendable {
  let name = "critic"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let critic: FrameCritic
  private let store: TokenStore
  private let dreams: DreamtFrames
  private let episodes: [ClipFolder.Episode]
  private let heldOut: [ClipFolder.Episode]
  private let parallel: DataParallel
  /// As ``SamplingConfiguration/unreal``, for the validation.
  private let limit: Float
  private let key: RandomKey
  /// Share of the video's frames that are an episode's last: what only they show is not to be called unreal.
  private static let lastShare: Float = 0.1

  init(
    _ critic: FrameCritic, limit: Float, training: TrainingConfiguration, store: TokenStore,
    dreams: DreamtFrames,
    data: TrainingData, workers: Workers, seed: UInt64
  ) {
    self.critic = critic
    self.limit = limit
    self.store = store
    self.dreams = dreams
    episodes = data.split.training
    heldOut = data.split.heldOut
    configuration = training.critic
    key = RandomKey(seed: seed).folded(in: name)
    optimizer = Optimizer(critic.parameters, configuration.optimizer, workers: workers)
    parallel = DataParallel(critic.parameters, workers: workers)
  }

  var modelState: [String: Tensor] { critic.parameters.state }

  private func real(_ episodes: [ClipFolder.Episode], key: RandomKey, lastShare: Float) -> [Int32] {
    let episode = episodes[key.integer(0, below: episodes.count)]
    let frame =
      key.uniform(1) < lastShare
      ? episode.frames.upperBound - 1
      : episode.frames.lowerBound + key.integer(2, below: episode.frames.count)
    return Array(store.tokens(episode.shard, frame..<frame + 1))
  }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let parts = 4
    let size = max(1, configuration.batch / parts)
    let (gradients, reports) = parallel.gradients(parts: parts) { [self] part, _, tape in
      var tokens: [Int32] = []
      for row in 0..<2 * size {
        let number = own.folded(in: UInt64(part * 2 * size + row))
        tokens +=
          row % 2 == 0
          ? real(episodes, key: number, lastShare: Self.lastShare)
          : dreams[number.integer(0, below: dreams.trained)]
      }
      let (loss, correct) = tape.crossEntropy(
        critic.logits(tape, tokens), targets: (0..<2 * size).map { Int32($0 % 2) },
        scale: 1 / Float(parts * 2 * size))
      return (loss, (loss: loss.value[0], correct: correct))
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss })),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / Double(parts * 2 * size)),
      ("gradientNorm", Double(norm)),
    ]
  }

  /// On held-out video, and on dreams that were not trained on: the loss, and the share of each that is called unreal.
  func validate() -> Figures {
    let tape = Tape(arena: Arena())
    func unreality(_ tokens: [Int32]) -> Float {
      tape.reset()
      return critic.unreality(tokens, tape: tape)
    }
    let own = RandomKey(seed: 0).folded(in: "critic validation")
    let count = min(2048, dreams.count - dreams.trained)
    let video = (0..<count).map {
      unreality(real(heldOut, key: own.folded(in: UInt64($0)), lastShare: 0))
    }
    let dreamt = (0..<count).map {
      unreality(dreams[dreams.trained + own.integer(UInt64($0), below: dreams.count - dreams.trained)])
    }
    let lasts = heldOut.map { episode in
      let last = episode.frames.upperBound - 1
      return unreality(Array(store.tokens(episode.shard, last..<last + 1)))
    }
    func unreal(_ found: [Float]) -> Double {
      Double(found.count { $0 > limit }) / Double(max(1, found.count))
    }
    let losses = video.map { log1p(exp($0)) } + dreamt.map { log1p(exp(-$0)) }
    return [
      ("loss", Double(losses.reduce(0, +)) / Double(max(1, losses.count))),
      ("unreal.video", unreal(video)), ("unreal.lastFrames", unreal(lasts)),
      ("unreal.dreams", unreal(dreamt)),
    ]
  }
}
