import Autograd
import NeuralNetwork

/// Trains the dynamics model: cross-entropy of masked tokens, given the frames before and the latent actions.
// The workers of a step only read the stage; what a step changes, it changes between them.
final class DynamicsStage: TrainingStage, @unchecked Sendable {
  let name = "dynamics"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let dynamics: Dynamics
  private let training: TrainingConfiguration
  private let store: TokenStore
  private let short: ClipSampler
  private let long: ClipSampler
  private let validation: [Int]
  private let held: ClipSampler
  private let parallel: DataParallel
  private let key: RandomKey

  init(
    _ genie: Genie, training: TrainingConfiguration, store: TokenStore, video: any TrainingVideo,
    episodes: [Range<Int>], heldOut: [Range<Int>], workers: Workers, seed: UInt64
  ) throws(TrainingError) {
    dynamics = genie.dynamics
    self.training = training
    self.store = store
    configuration = training.dynamics
    optimizer = Optimizer(dynamics.parameters, configuration.optimizer)
    short = try ClipSampler(video, episodes: episodes, time: min(training.shortTime, configuration.time))
    long = try ClipSampler(video, episodes: episodes, time: configuration.time)
    held = try ClipSampler(video, episodes: heldOut, time: min(configuration.time, genie.dynamics.configuration.window))
    validation = held.evenStarts(64)
    parallel = DataParallel(dynamics.parameters, workers: workers)
    key = RandomKey(seed: seed).folded(in: "dynamics")
    dynamics.actionVectors.copy(from: genie.latentActions.quantizer.codebook)
    ground(genie.tokenizer, video: video, episodes: episodes)
  }

  var modelState: [String: Tensor] { dynamics.state }

  /// Starts the model's tables from what the tokens look like.
  private func ground(_ tokenizer: Tokenizer, video: any TrainingVideo, episodes: [Range<Int>]) {
    let (vocabulary, values) = (tokenizer.vocabulary, tokenizer.patches.channels)
    var sums = [Float](repeating: 0, count: vocabulary * values)
    var counts = [Float](repeating: 0, count: vocabulary)
    let total = episodes.reduce(0) { $0 + $1.count }
    let every = max(1, total / 8000)
    var patches = [Float](repeating: 0, count: tokenizer.tokens * values)
    for frame in episodes.joined() where frame % every == 0 {
      tokenizer.patches.extract(video.frames(frame..<frame + 1), into: &patches)
      for token in 0..<tokenizer.tokens {
        let code = Int(store.tokens[frame * tokenizer.tokens + token])
        counts[code] += 1
        for i in 0..<values { sums[code * values + i] += patches[token * values + i] }
      }
    }
    for code in 0..<vocabulary where counts[code] > 0 {
      for i in 0..<values { sums[code * values + i] /= counts[code] }
    }
    let all = max(1, counts.reduce(0, +))
    dynamics.ground(
      patches: sums, values: values, frequencies: counts.map { $0 / all }, key: key.folded(in: "ground"))
  }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let isShort = progress < training.shortShare
    let clips = isShort ? short : long
    let batch = isShort ? training.shortBatch : configuration.batch
    let masked = clips.starts(batch, key: own).enumerated().map { index, start in
      let (tokens, actions) = store.clip(start..<start + clips.time)
      return MaskedClip(
        clean: tokens, actions: actions[...], time: clips.time, mask: dynamics.mask,
        actionCount: dynamics.configuration.actions, configuration: training.masking,
        key: own.folded(in: 1).folded(in: UInt64(index)))
    }
    let targets = clips.starts(batch, key: own).map { store.clip($0..<$0 + clips.time).tokens }
    let total = max(1, masked.reduce(0) { $0 + $1.masked.count })
    let time = clips.time
    let (gradients, reports) = parallel.gradients(parts: batch) { [self] part, _, tape in
      let clip = masked[part]
      let hidden = dynamics.hidden(tape, tokens: clip.tokens, actions: clip.actions, batch: 1, time: time)
      // A clip without any masked token still has to be a node of the graph.
      let places = clip.masked.isEmpty ? [0] : clip.masked
      let logits = dynamics.head(tape, tape.rows(hidden, places))
      let wanted = places.map { targets[part][targets[part].startIndex + $0] }
      let (loss, correct) = tape.crossEntropy(
        logits, targets: wanted, scale: clip.masked.isEmpty ? 0 : 1 / Float(total))
      return (loss, (loss: loss.value[0], correct: clip.masked.isEmpty ? 0 : correct))
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss })),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / Double(total)), ("gradientNorm", Double(norm)),
    ]
  }

  func validate() -> Figures {
    TokenAccuracy.measure(dynamics, clips: validation.map { store.clip($0..<$0 + held.time) }, time: held.time).figures
  }
}
