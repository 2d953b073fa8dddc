import Autograd
import NeuralNetwork
import Video

/// Trains the dynamics model: cross-entropy of masked tokens, given the frames before and the latent actions.
// The workers of a step only read the stage; what a step changes, it changes between them.
final class DynamicsStage: TrainingStage, @unchecked Sendable {
  let name = "dynamics"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let dynamics: Dynamics
  private let training: TrainingConfiguration
  private let store: TokenStore
  private let short: ClipLoader
  private let long: ClipLoader
  /// What a false action is drawn from.
  private let falseActions: [Int32]
  /// Last frames of labelled episodes that ended by themselves, and what there is of each before it.
  private let ends: [(shard: Int, frames: Range<Int>)]
  private let validation: [ClipLoader.Origin]
  private let validationTime: Int
  private let parallel: DataParallel
  private let key: RandomKey

  init(
    _ genie: Genie, training: TrainingConfiguration, store: TokenStore, data: TrainingData, workers: Workers,
    seed: UInt64
  ) throws(ClipError) {
    dynamics = genie.dynamics
    self.training = training
    self.store = store
    configuration = training.dynamics
    optimizer = Optimizer(
      dynamics.parameters, configuration.optimizer, workers: workers, precision: training.precision)
    short = try data.training(
      frames: min(training.shortTime, configuration.time), batch: training.shortBatch, seed: seed &+ 2)
    long = try data.training(frames: configuration.time, batch: configuration.batch, seed: seed &+ 3)
    falseActions =
      training.masking.noiseFollowsUse
      ? data.split.training.flatMap { store.actions($0.shard, $0.frames).filter { $0 != Dynamics.noAction } }
      : (0..<Int32(genie.dynamics.configuration.actions)).map { $0 }
    ends = training.endShare > 0 ? Self.ends(data, labelled: training.labelledEpisodes) : []
    validationTime = max(2, min(configuration.time, genie.dynamics.configuration.window))
    validation = try data.heldOutOrigins(frames: validationTime, clips: 64)
    parallel = DataParallel(dynamics.parameters, workers: workers, precision: training.precision)
    key = RandomKey(seed: seed).folded(in: "dynamics")
    dynamics.actionVectors.copy(from: genie.latentActions.quantizer.codebook)
    ground(genie.tokenizer, data: data)
  }

  var modelState: [String: Tensor] { dynamics.state }

  /// The first steps see short clips.
  var meanCost: Double {
    let long = Double(long.batchSize * long.frames) / Double(short.batchSize * short.frames)
    return training.shortShare + (1 - training.shortShare) * long
  }

  /// Starts the model's tables from what the tokens look like.
  private func ground(_ tokenizer: Tokenizer, data: TrainingData) {
    let (vocabulary, values) = (tokenizer.vocabulary, tokenizer.patches.channels)
    var sums = [Float](repeating: 0, count: vocabulary * values)
    var counts = [Float](repeating: 0, count: vocabulary)
    let every = max(1, data.split.training.reduce(0) { $0 + $1.frames.count } / 8000)
    var patches = [Float](repeating: 0, count: tokenizer.tokens * values)
    for episode in data.split.training {
      for frame in episode.frames where frame % every == 0 {
        tokenizer.patches.extract(data.folder.shards[episode.shard].frames(frame..<frame + 1), into: &patches)
        for (token, code) in store.tokens(episode.shard, frame..<frame + 1).enumerated() {
          counts[Int(code)] += 1
          for i in 0..<values { sums[Int(code) * values + i] += patches[token * values + i] }
        }
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
    let time = clips.frames
    let shown = clips.origins(step).enumerated().map { index, origin in
      let key = own.folded(in: 2).folded(in: UInt64(index))
      return endingClip(frames: time, key: key) ?? store.clip(origin, frames: time)
    }
    let masked = shown.enumerated().map { index, clip in
      MaskedClip(
        clean: clip.tokens, actions: clip.actions[...], time: time, mask: dynamics.mask,
        falseActions: falseActions, configuration: training.masking,
        key: own.folded(in: 1).folded(in: UInt64(index)))
    }
    let total = max(1, masked.reduce(0) { $0 + $1.masked.count })
    let (gradients, reports) = parallel.gradients(parts: masked.count) { [self] part, _, tape in
      let clip = masked[part]
      let hidden = dynamics.hidden(tape, tokens: clip.tokens, actions: clip.actions, batch: 1, time: time)
      // A clip without any masked token still has to be a node of the graph.
      let places = clip.masked.isEmpty ? [0] : clip.masked
      let logits = dynamics.head(tape, tape.rows(hidden, places))
      let wanted = places.map { shown[part].tokens[shown[part].tokens.startIndex + $0] }
      let (loss, correct) = tape.crossEntropy(
        logits, targets: wanted, scale: clip.masked.isEmpty ? 0 : 1 / Float(total))
      return (loss, (loss: loss.value[0], correct: clip.masked.isEmpty ? 0 : correct))
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss })),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / Double(total)),
      ("gradientNorm", Double(norm)),
    ]
  }

  private static func ends(_ data: TrainingData, labelled: Int) -> [(shard: Int, frames: Range<Int>)] {
    data.split.training.prefix(labelled).compactMap { episode in
      guard let ends = data.folder.shards[episode.shard].ends, episode.frames.count > 1,
        ends[episode.frames.upperBound - 2]
      else { return nil }
      return (episode.shard, episode.frames)
    }
  }

  /// A clip that runs into an end and stays there: what is done after the end changes nothing.
  /// - Returns: nil where the draw, or the lack of ends, leaves the clip as it is.
  private func endingClip(frames time: Int, key: RandomKey) -> (tokens: ArraySlice<Int32>, actions: [Int32])?
  {
    guard !ends.isEmpty, Double(key.uniform(0)) < training.endShare else { return nil }
    let (shard, frames) = ends[key.integer(1, below: ends.count)]
    let before = min(time - key.integer(2, below: time), frames.count)
    let range = frames.upperBound - before..<frames.upperBound
    var tokens = Array(store.tokens(shard, range))
    var actions = [Dynamics.noAction] + store.actions(shard, range).dropFirst()
    let last = tokens.suffix(store.tokensPerFrame)
    for step in before..<time {
      tokens += last
      actions.append(Int32(key.integer(UInt64(16 + step), below: dynamics.configuration.actions)))
    }
    return (tokens[...], actions)
  }

  func validate() -> Figures {
    let clips = validation.map { store.clip($0, frames: validationTime) }
    return TokenAccuracy(dynamics, clips: clips, time: validationTime).figures
  }
}
