import Autograd
import CKernels
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
  private let unseen: UnseenActions?
  private let bounds: EpisodeBounds
  /// Frames of the training episodes that are long enough for a clip, and those of each code.
  private let frames: [(shard: Int, frame: Int, episode: Range<Int>)]
  private let framesByCode: WindowsByCode
  private let validation: [ClipLoader.Origin]
  private let validationTime: Int
  private let parallel: DataParallel
  /// One a worker: for frames of the model's own.
  private let dreaming: [Tape]
  private let key: RandomKey
  /// Share of the clips of which it is told how old their episode is: not all, because pictures that a world starts from may be of any age.
  private static let toldAges = 0.5

  /// - Parameter isBegun: whether the dynamics were trained before, and go on.
  init(
    _ genie: Genie, training: TrainingConfiguration, store: TokenStore, data: TrainingData,
    unseen: UnseenActions? = nil, rewards: TokenRewardModel? = nil, isBegun: Bool = false, workers: Workers,
    seed: UInt64
  ) throws(ClipError) {
    dynamics = genie.dynamics
    self.training = training
    self.store = store
    configuration = training.dynamics
    optimizer = Optimizer(
      dynamics.parameters, configuration.optimizer, workers: workers, precision: training.precision)
    let bounds = EpisodeBounds(data, store, rewards, frames: configuration.time)
    self.bounds = bounds
    short = try data.training(
      frames: min(training.shortTime, configuration.time), batch: training.shortBatch, seed: seed &+ 2,
      runsOver: bounds.ended)
    long = try data.training(
      frames: configuration.time, batch: configuration.batch, seed: seed &+ 3, runsOver: bounds.ended)
    self.unseen = unseen
    (frames, framesByCode) = Self.framesByCode(
      data, store, vocabulary: genie.tokenizer.vocabulary,
      least: training.rareShare > 0 ? configuration.time : .max)
    validationTime = max(2, min(configuration.time, genie.dynamics.configuration.window))
    validation = try data.heldOutOrigins(frames: validationTime, clips: 64)
    parallel = DataParallel(dynamics.parameters, workers: workers, precision: training.precision)
    dreaming = (0..<workers.count).map { _ in Tape(arena: Arena(), precision: training.precision) }
    key = RandomKey(seed: seed).folded(in: "dynamics")
    dynamics.actionVectors.copy(from: genie.latentActions.actionVectors)
    if !isBegun { ground(genie.tokenizer, data: data) }
  }

  var modelState: [String: Tensor] { dynamics.state }

  /// The first steps see short clips.
  var meanCost: Double {
    guard training.shortShare > 0 else { return 1 }
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
      clip(origin, frames: time, key: own.folded(in: 2).folded(in: UInt64(index)))
    }
    let masked = shown.enumerated().map { index, clip in
      MaskedClip(
        clip, mask: dynamics.mask, choices: dynamics.configuration.actions, configuration: training.masking,
        key: own.folded(in: 1).folded(in: UInt64(index)))
    }
    let total = max(1, masked.reduce(0) { $0 + $1.masked.count })
    let (gradients, reports) = parallel.gradients(parts: masked.count) { [self] part, worker, tape in
      var clip = masked[part]
      rehearse(
        &clip, of: shown[part], dreaming[worker],
        key: own.folded(in: 3).folded(in: UInt64(part)))
      let hidden = dynamics.hidden(
        tape, tokens: clip.tokens, actions: clip.actions, ages: shown[part].ages, batch: 1, time: time)
      // A clip without any masked token still has to be a node of the graph.
      let places = clip.masked.isEmpty ? [0] : clip.masked
      let logits = dynamics.head(tape, tape.rows(hidden, places))
      let wanted = places.map { shown[part].tokens[shown[part].tokens.startIndex + $0] }
      let (loss, correct) = tape.crossEntropy(
        logits, targets: wanted, scale: clip.masked.isEmpty ? 0 : 1 / Float(total))
      let count = clip.masked.count
      return (loss, (loss: loss.value[0], correct: count == 0 ? 0 : correct, count: count))
    }
    let norm = optimizer.update(gradients, progress: progress)
    // Fewer than were masked: what was rehearsed is shown.
    let predicted = Double(max(1, reports.reduce(0) { $0 + $1.count }))
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss }) * Double(total) / predicted),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / predicted),
      ("gradientNorm", Double(norm)),
    ]
  }

  /// Lets the model predict what is masked, and shows it some of the frames as it will see them at play.
  private func rehearse(
    _ clip: inout MaskedClip, of whole: TokenClip, _ tape: Tape, key: RandomKey
  ) {
    guard training.masking.rehearses, !clip.masked.isEmpty else { return }
    tape.reset()
    let hidden = dynamics.hidden(
      tape, tokens: clip.tokens, actions: clip.actions, ages: whole.ages, batch: 1, time: whole.time)
    let logits = dynamics.head(tape, tape.rows(hidden, clip.masked)).value
    let (rows, vocabulary) = (clip.masked.count, dynamics.configuration.vocabulary)
    let scratch = tape.arena.tensor([3 * rows + vocabulary]).pointer
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: rows) { codes in
      ck_sample_rows(
        logits.pointer, scratch, 0, 0, codes.baseAddress!, scratch + rows, scratch + 2 * rows,
        scratch + 3 * rows, rows, vocabulary)
      clip.rehearse(
        codes: codes.baseAddress!, entropies: scratch + 2 * rows, truth: whole.tokens,
        configuration: training.masking, key: key)
    }
  }

  /// A clip of the video: the given one, or in its place one that shows something rare, or how an episode begins.
  private func clip(_ origin: ClipLoader.Origin, frames time: Int, key: RandomKey) -> TokenClip {
    let rare = rareOrigin(frames: time, key: key.folded(in: 1))
    let begin =
      rare == nil && Double(key.uniform(4)) < training.beginShare ? bounds.beginning(key.folded(in: 5)) : nil
    let origin = rare?.origin ?? begin ?? origin
    let shown = min(time, bounds.end(of: origin).map { $0 - origin.start } ?? time)
    var clip = store.clip(origin, frames: shown)
    clip.unseen = unseenActions(origin.shard, from: origin.start, actions: clip.actions)
    if begin != nil || Double(key.uniform(3)) < Self.toldAges, let age = bounds.age(of: origin) {
      clip.ages = clip.actions.indices.map { Int32(age + $0) }
    }
    clip.firstPredicted = rare.map { $0.frame - origin.start + 1 } ?? 0
    clip.stay(time - shown, actions: dynamics.configuration.actions, key: key.folded(in: 2))
    return clip
  }

  private func unseenActions(_ shard: Int, from start: Int, actions: [Int32]) -> [[Int32]] {
    guard let unseen else { return [] }
    return [[]]
      + actions.indices.dropFirst().map {
        unseen.inPlace(of: actions[$0], after: start + $0 - 1, of: shard)
      }
  }

  private static func framesByCode(
    _ data: TrainingData, _ store: TokenStore, vocabulary: Int, least: Int
  ) -> ([(shard: Int, frame: Int, episode: Range<Int>)], WindowsByCode) {
    var frames: [(shard: Int, frame: Int, episode: Range<Int>)] = []
    var byCode = WindowsByCode(codes: vocabulary, most: 256)
    for episode in data.split.training where episode.frames.count >= least {
      for frame in episode.frames.dropLast() {
        for code in Set(store.tokens(episode.shard, frame..<frame + 1)).sorted() {
          byCode.meet(frames.count, code: Int(code))
        }
        frames.append((episode.shard, frame, episode.frames))
      }
    }
    return (frames, byCode)
  }

  /// A clip that shows, not in its last frame, a code which is as likely as any other.
  /// - Returns: where the clip begins, and the frame that shows the code.
  private func rareOrigin(frames time: Int, key: RandomKey) -> (origin: ClipLoader.Origin, frame: Int)? {
    guard Double(key.uniform(0)) < training.rareShare, let drawn = framesByCode.draw(key.folded(in: 1)) else {
      return nil
    }
    // A table of tensors is exact up to 16 million.
    let (shard, frame, episode) = frames[min(drawn, frames.count - 1)]
    let start = frame - key.integer(1, below: time - 1)
    return (
      ClipLoader.Origin(
        shard: shard, start: min(max(start, episode.lowerBound), episode.upperBound - time)), frame
    )
  }

  func validate() -> Figures {
    let clips = validation.map { store.clip($0, frames: validationTime) }
    return TokenAccuracy(dynamics, clips: clips).figures
  }
}
