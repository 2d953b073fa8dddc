import Autograd
import CKernels
import NeuralNetwork
import Video

/// Learns which latent action follows a frame of the video (of two frames it would rather learn what the player is up to), to
/// find those that all but never do.
///
/// Two small classifiers, each trained on every other episode, judge each other's: of frames that it was trained on, a classifier
/// knows by heart what was done, and takes for impossible what merely was not done.
final class UnseenActionsStage: TrainingStage, @unchecked Sendable {
  let name = "unseen_actions"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let store: TokenStore
  /// Frames that another follows, of every other episode.
  private let halves: [[Place]]
  private let heldOut: [Place]
  private let classifiers: [TransitionNetwork]
  private let parameters: Parameters
  private let vectors: Tensor
  private let workers: Workers
  private let parallel: DataParallel
  private let key: RandomKey

  private struct Place: Sendable {
    var shard: Int
    var frame: Int
  }

  init(
    _ genie: Genie, training: TrainingConfiguration, store: TokenStore, data: TrainingData, workers: Workers,
    seed: UInt64
  ) {
    self.store = store
    self.workers = workers
    func places(_ episodes: some Sequence<ClipFolder.Episode>) -> [Place] {
      episodes.flatMap { episode in
        episode.frames.dropLast().map { Place(shard: episode.shard, frame: $0) }
      }
    }
    let episodes = data.split.training.enumerated()
    let halves = (0..<2).map { half in places(episodes.filter { $0.offset % 2 == half }.map(\.element)) }
    // A single episode is in both.
    self.halves = halves[1].isEmpty ? [halves[0], halves[0]] : halves
    heldOut = Array(places(data.split.heldOut).prefix(2_048))
    configuration = training.unseenActions
    key = RandomKey(seed: seed).folded(in: name)
    parameters = Parameters(seed: key.bits(0))
    let dynamics = genie.dynamics.configuration
    vectors = genie.latentActions.quantizer.codebook
    classifiers = (0..<2).map { [parameters, key, vectors] half in
      let network = TransitionNetwork(
        parameters, prefix: "\(half).", grid: (dynamics.rows, dynamics.columns),
        vocabulary: dynamics.vocabulary, channels: 32, filters: 128, outputs: vectors.shape[0])
      network.ground(genie.tokenizer.quantizer.codebook, key: key.folded(in: UInt64(half)))
      return network
    }
    optimizer = Optimizer(parameters, configuration.optimizer, workers: workers)
    parallel = DataParallel(parameters, workers: workers)
  }

  var modelState: [String: Tensor] { parameters.state }

  private func followed(_ place: Place) -> Int32 {
    store.actions(place.shard, place.frame + 1..<place.frame + 2).first!
  }

  private func logits(_ tape: Tape, _ half: Int, _ places: some Sequence<Place>) -> Variable {
    let tokens = places.flatMap { store.tokens($0.shard, $0.frame..<$0.frame + 1) }
    return classifiers[half](tape, previous: tokens, tokens: tokens)
  }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let parts = 4
    let size = max(1, 2 * configuration.batch / parts)
    let (gradients, reports) = parallel.gradients(parts: parts) { [self] part, _, tape in
      let half = part % 2
      let some = (0..<size).map {
        halves[half][own.integer(UInt64(part * size + $0), below: halves[half].count)]
      }
      let (loss, correct) = tape.crossEntropy(
        logits(tape, half, some), targets: some.map(followed), scale: 1 / Float(configuration.batch))
      return (loss, (loss: loss.value[0], correct: correct))
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss }) / 2),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / Double(parts * size)),
      ("gradientNorm", Double(norm)),
    ]
  }

  /// How often the two find the action that follows in held-out episodes.
  func validate() -> Figures {
    let right = (0..<2).reduce(0) { sum, half in
      sum
        + zip(heldOut, shares(heldOut, by: half)).count { place, shares in
          shares.max() == shares[Int(followed(place))]
        }
    }
    return [("accuracy", Double(right) / Double(max(1, 2 * heldOut.count)))]
  }

  /// What was found, of all frames of the training episodes.
  func unseen() -> UnseenActions {
    let actions = vectors.shape[0]
    var use = [Float](repeating: 0, count: actions)
    for place in halves.joined() { use[Int(followed(place))] += 1 }
    let total = use.reduce(0, +)
    var odds = [Float](repeating: 1, count: store.count * actions)
    for half in 0..<2 {
      for (place, shares) in zip(halves[half], shares(halves[half], by: 1 - half)) {
        let first = store.place(place.shard, place.frame) * actions
        for action in 0..<actions { odds[first + action] = shares[action] * total / max(1, use[action]) }
      }
    }
    return UnseenActions(store, odds: odds, actions: vectors)
  }

  /// The probabilities of all actions at each place.
  private func shares(_ places: [Place], by half: Int) -> [[Float]] {
    let starts = Array(stride(from: 0, to: places.count, by: 64))
    let found = Slots<[[Float]]>(count: starts.count)
    workers.run { [self] worker in
      let tape = Tape(arena: Arena())
      for index in stride(from: worker, to: starts.count, by: workers.count) {
        tape.reset()
        let logits = logits(tape, half, places[starts[index]..<min(places.count, starts[index] + 64)]).value
        let actions = logits.shape[-1]
        let shares = tape.arena.tensor(logits.shape)
        ck_softmax(logits.pointer, shares.pointer, logits.count / actions, actions)
        found[index] = (0..<logits.count / actions).map { row in
          (0..<actions).map { shares[row * actions + $0] }
        }
      }
    }
    return Array(found.all.joined())
  }
}
