import Autograd
import Foundation
import NeuralNetwork

/// Which latent actions video does not show at each of its frames.
///
/// Latent actions stand for effects, so where an effect is impossible (to go right, at a wall) the action is never inferred, and a
/// dynamics model would never learn what comes of it. A small classifier learns what action follows two frames. One that it
/// finds all but impossible is to do what the most similar possible action does.
struct UnseenActions: Sendable {
  /// Of all frames of the store, whether an action is all but impossible there: `[frames, actions]`.
  private let unseen: [Bool]
  private let actions: Int
  private let store: TokenStore
  /// Of the vectors of two actions: `[actions, actions]`.
  private let similarities: [Float]

  /// An action counts as unseen where it is so many times less likely than in the whole video.
  private static let ratio: Float = 50
  private static let batch = 128

  /// - Parameters:
  ///   - grid: of the tokens of a frame.
  ///   - codes: `[codes, width]`, of length 1: the codebook of the tokenizer.
  ///   - vectors: `[actions, width]`, of length 1: the codebook of the latent actions.
  ///   - steps: of the classifier; nil goes four times through the video, at most 1,500 batches.
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
    let key = RandomKey(seed: seed).folded(in: "unseen actions")
    let parameters = Parameters(seed: key.bits(0))
    let network = TransitionNetwork(
      parameters, grid: grid, vocabulary: codes.shape[0], channels: 24, filters: 48, outputs: actions)
    network.ground(codes, key: key.folded(in: "ground"))
    // A frame, the one before it (itself, at an episode's start), and the action that followed.
    let places = data.split.training.flatMap { episode in
      episode.frames.dropLast().map {
        (shard: episode.shard, frame: $0, before: max($0 - 1, episode.frames.lowerBound))
      }
    }
    let followed = places.map { store.actions($0.shard, $0.frame + 1..<$0.frame + 2).first! }
    let tokens = { @Sendable (rows: [Int]) -> (previous: [Int32], next: [Int32]) in
      var (previous, next): ([Int32], [Int32]) = ([], [])
      for (shard, frame, before) in rows.map({ places[$0] }) {
        previous += store.tokens(shard, before..<before + 1)
        next += store.tokens(shard, frame..<frame + 1)
      }
      return (previous, next)
    }
    let optimizer = Optimizer(
      parameters, OptimizerConfiguration(rate: 2e-3, muonRate: nil, weightDecay: 0.05),
      workers: workers)
    let parallel = DataParallel(parameters, workers: workers)
    let parts = 4
    let steps = steps ?? min(1500, 1 + 4 * places.count / Self.batch)
    for step in 0..<steps {
      let own = key.folded(in: UInt64(step))
      let (gradients, _) = parallel.gradients(parts: parts) { part, _, tape in
        let size = Self.batch / parts
        let rows = (0..<size).map { own.integer(UInt64(part * size + $0), below: places.count) }
        let (previous, next) = tokens(rows)
        let loss = tape.crossEntropy(
          network(tape, previous: previous, tokens: next), targets: rows.map { followed[$0] },
          scale: 1 / Float(Self.batch)
        ).loss
        return (loss, loss.value[0])
      }
      _ = optimizer.update(gradients, progress: Double(step) / Double(steps))
    }
    var use = [Float](repeating: 0, count: actions)
    for action in followed { use[Int(action)] += 1 / Float(max(1, followed.count)) }
    let starts = Array(stride(from: 0, to: places.count, by: 64))
    let found = Slots<[[Bool]]>(count: starts.count)
    workers.run { [use, count = places.count] worker in
      let tape = Tape(arena: Arena())
      for index in stride(from: worker, to: starts.count, by: workers.count) {
        tape.reset()
        let (previous, next) = tokens(Array(starts[index]..<min(count, starts[index] + 64)))
        let logits = network(tape, previous: previous, tokens: next).value
        found[index] = (0..<logits.count / actions).map { row in
          let scores = UnsafeBufferPointer(start: logits.pointer + row * actions, count: actions)
          let most = scores.max()!
          let exponentials = scores.map { exp($0 - most) }
          let sum = exponentials.reduce(0, +)
          return exponentials.indices.map { exponentials[$0] / sum < use[$0] / Self.ratio }
        }
      }
    }
    var unseen = [Bool](repeating: false, count: store.count * actions)
    for (place, isUnseen) in zip(places, found.all.joined()) {
      let first = store.place(place.shard, place.frame) * actions
      unseen.replaceSubrange(first..<first + actions, with: isUnseen)
    }
    self.unseen = unseen
  }

  /// The actions that are not seen to follow a frame, and of all that are seen there are most similar to the one that did.
  func inPlace(of action: Int32, after frame: Int, of shard: Int) -> [Int32] {
    let first = store.place(shard, frame) * actions
    let seen = (0..<actions).filter { !unseen[first + $0] || $0 == Int(action) }
    return (0..<actions).filter { other in
      unseen[first + other] && other != Int(action)
        && seen.allSatisfy {
          similarities[other * actions + $0] <= similarities[other * actions + Int(action)]
        }
    }.map(Int32.init)
  }
}
