import Autograd
import Foundation
import NeuralNetwork

/// Which latent actions video does not show at each of its frames.
///
/// Latent actions stand for effects, so where an effect is impossible (to go right, at a wall) the action is never inferred, and a
/// dynamics model would never learn what comes of it. A small classifier learns what action follows a frame (of two it would
/// rather learn what the player is up to). An action that it finds all but impossible is to do what the most similar possible
/// action does.
///
/// Two classifiers, each trained on every other episode, judge each other's: of frames that it was trained on, a classifier
/// knows by heart what was done, and takes for impossible what merely was not done.
struct UnseenActions: Sendable {
  /// Of all frames of the store, how often each action follows, beside how often it does in the whole video:
  /// `[frames, actions]`.
  private let odds: [Float]
  private let actions: Int
  private let store: TokenStore
  /// Of the vectors of two actions: `[actions, actions]`.
  private let similarities: [Float]

  /// An action counts as unseen where it is so many times less likely than in the whole video.
  private static let ratio: Float = 20
  private static let batch = 128

  /// - Parameters:
  ///   - grid: of the tokens of a frame.
  ///   - codes: `[codes, width]`, of length 1: the codebook of the tokenizer.
  ///   - vectors: `[actions, width]`, of length 1: the codebook of the latent actions.
  ///   - steps: of each classifier; nil goes eight times through its half of the video, at most 5,000 batches.
  init(
    _ store: TokenStore, data: TrainingData, grid: (rows: Int, columns: Int), codes: Tensor,
    actions vectors: Tensor,
    workers: Workers, seed: UInt64, steps: Int? = nil
  ) {
    let actions = vectors.shape[0]
    self.actions = actions
    let products = Tensor(shape: [actions, actions])
    products.assignProduct(vectors, vectors, transposedB: true)
    similarities = products.values
    self.store = store
    var halves: [[Place]] = [[], []]
    for (index, episode) in data.split.training.enumerated() {
      halves[index % 2] += episode.frames.dropLast().map { Place(shard: episode.shard, frame: $0) }
    }
    var use = [Float](repeating: 0, count: actions)
    for place in halves.joined() { use[place.followed(in: store)] += 1 / Float(halves[0].count + halves[1].count) }
    var odds = [Float](repeating: 1, count: store.count * actions)
    for (half, places) in halves.enumerated() where !halves[1 - half].isEmpty {
      let key = RandomKey(seed: seed).folded(in: "unseen actions").folded(in: UInt64(half))
      let parameters = Parameters(seed: key.bits(0))
      let network = TransitionNetwork(
        parameters, grid: grid, vocabulary: codes.shape[0], channels: 32, filters: 128, outputs: actions)
      network.ground(codes, key: key.folded(in: "ground"))
      let classifier = Classifier(network: network, parameters: parameters, store: store, workers: workers)
      classifier.learn(
        halves[1 - half], steps: steps ?? min(5_000, 1 + 8 * halves[1 - half].count / Self.batch), key: key)
      for (place, shares) in zip(places, classifier.judge(places)) {
        let first = store.place(place.shard, place.frame) * actions
        for action in 0..<actions { odds[first + action] = shares[action] / max(use[action], .leastNormalMagnitude) }
      }
    }
    self.odds = odds
  }

  /// The actions that are not seen to follow a frame, and of all that are seen there are most similar to the one that did.
  func inPlace(of action: Int32, after frame: Int, of shard: Int) -> [Int32] {
    let first = store.place(shard, frame) * actions
    let seen = (0..<actions).filter { odds[first + $0] >= 1 / Self.ratio || $0 == Int(action) }
    return (0..<actions).filter { other in
      odds[first + other] < 1 / Self.ratio && other != Int(action)
        && seen.allSatisfy {
          similarities[other * actions + $0] <= similarities[other * actions + Int(action)]
        }
    }.map(Int32.init)
  }
}

extension UnseenActions {
  /// A frame that another follows.
  private struct Place: Sendable {
    var shard: Int
    var frame: Int

    /// The action between the two.
    func followed(in store: TokenStore) -> Int { Int(store.actions(shard, frame + 1..<frame + 2).first!) }
  }

  private struct Classifier: Sendable {
    let network: TransitionNetwork
    let parameters: Parameters
    let store: TokenStore
    let workers: Workers

    private func logits(_ tape: Tape, _ places: some Sequence<Place>) -> Variable {
      let tokens = places.flatMap { store.tokens($0.shard, $0.frame..<$0.frame + 1) }
      return network(tape, previous: tokens, tokens: tokens)
    }

    func learn(_ places: [Place], steps: Int, key: RandomKey) {
      let optimizer = Optimizer(
        parameters, OptimizerConfiguration(rate: 2e-3, muonRate: nil, weightDecay: 0.05), workers: workers)
      let parallel = DataParallel(parameters, workers: workers)
      let parts = 4
      for step in 0..<steps {
        let own = key.folded(in: UInt64(step))
        let (gradients, _) = parallel.gradients(parts: parts) { part, _, tape in
          let size = batch / parts
          let some = (0..<size).map { places[own.integer(UInt64(part * size + $0), below: places.count)] }
          let loss = tape.crossEntropy(
            logits(tape, some), targets: some.map { Int32($0.followed(in: store)) }, scale: 1 / Float(batch)
          ).loss
          return (loss, loss.value[0])
        }
        _ = optimizer.update(gradients, progress: Double(step) / Double(steps))
      }
    }

    /// The probabilities of all actions, at each place.
    func judge(_ places: [Place]) -> [[Float]] {
      let starts = Array(stride(from: 0, to: places.count, by: 64))
      let found = Slots<[[Float]]>(count: starts.count)
      workers.run { worker in
        let tape = Tape(arena: Arena())
        for index in stride(from: worker, to: starts.count, by: workers.count) {
          tape.reset()
          let logits = logits(tape, places[starts[index]..<min(places.count, starts[index] + 64)]).value
          let actions = logits.shape[-1]
          found[index] = (0..<logits.count / actions).map { row in
            let scores = UnsafeBufferPointer(start: logits.pointer + row * actions, count: actions)
            let most = scores.max()!
            let exponentials = scores.map { exp($0 - most) }
            let sum = exponentials.reduce(0, +)
            return exponentials.map { $0 / sum }
          }
        }
      }
      return Array(found.all.joined())
    }
  }
}
