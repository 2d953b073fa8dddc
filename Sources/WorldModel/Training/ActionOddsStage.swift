import Autograd
import Foundation
import NeuralNetwork
import Video

/// Learns which latent action follows a frame of the video.
final class ActionOddsStage: TrainingStage, @unchecked Sendable {
  let name = "action_odds"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let odds: ActionOdds
  private let store: TokenStore
  /// Frames that another follows, of every other episode.
  private let halves: [[Place]]
  private let heldOut: [Place]
  private let isTrained: Bool
  /// Logarithms of how often each action follows each other one, and none: `[actions + 1, actions]`.
  private let habits: Tensor
  private let workers: Workers
  private let parallel: DataParallel
  private let key: RandomKey

  private struct Place: Sendable {
    var shard: Int
    var frame: Int
  }

  /// - Parameters:
  ///   - vectors: of the actions, `[actions, width]`.
  ///   - isTrained: whether the odds were learned before, and are only to be asked: ``unseen()``. What stands in for what
  ///     is taken from this video all the same.
  /// - Throws: ``ClipError/noWindows(frames:longest:)`` where no frame is followed by another.
  init(
    _ odds: ActionOdds, vectors: Tensor, training: TrainingConfiguration, store: TokenStore,
    data: TrainingData,
    isTrained: Bool = false, workers: Workers, seed: UInt64
  ) throws(ClipError) {
    self.odds = odds
    self.store = store
    self.isTrained = isTrained
    self.workers = workers
    func places(_ episodes: some Sequence<ClipFolder.Episode>) -> [Place] {
      episodes.flatMap { episode in
        episode.frames.dropLast().map { Place(shard: episode.shard, frame: $0) }
      }
    }
    let episodes = data.split.training.filter { $0.frames.count > 1 }.enumerated()
    let halves = (0..<2).map { half in places(episodes.filter { $0.offset % 2 == half }.map(\.element)) }
    guard !halves[0].isEmpty else {
      throw .noWindows(frames: 2, longest: data.split.training.map(\.frames.count).max() ?? 0)
    }
    // A single episode is in both.
    self.halves = halves[1].isEmpty ? [halves[0], halves[0]] : halves
    heldOut = Array(places(data.split.heldOut).prefix(2_048))
    configuration = training.actionOdds
    key = RandomKey(seed: seed).folded(in: name)
    optimizer = Optimizer(odds.parameters, configuration.optimizer, workers: workers)
    parallel = DataParallel(odds.parameters, workers: workers)
    let actions = odds.use.count
    habits = Tensor(shape: [actions + 1, actions])
    var counts = [Double](repeating: 1, count: habits.count)
    for place in self.halves.joined() { counts[row(before: place) * actions + Int(followed(place))] += 1 }
    let total = counts.reduce(0, +)
    for action in 0..<actions where !isTrained {
      odds.use[action] = Float((0...actions).reduce(0) { $0 + counts[$1 * actions + action] } / total)
    }
    for row in 0...actions {
      let sum = (0..<actions).reduce(0) { $0 + counts[row * actions + $1] }
      for action in 0..<actions {
        habits[row * actions + action] = Float(log(counts[row * actions + action] / sum))
      }
    }
    odds.relate(vectors, changes: changes())
  }

  /// Tokens of a frame that an action changes, on average.
  private func changes() -> [Float] {
    var (changed, count) = (
      [Int](repeating: 0, count: odds.use.count), [Int](repeating: 0, count: odds.use.count)
    )
    for place in halves.joined() {
      let action = Int(followed(place))
      let old = store.tokens(place.shard, place.frame..<place.frame + 1)
      let new = store.tokens(place.shard, place.frame + 1..<place.frame + 2)
      changed[action] += zip(old, new).count { $0 != $1 }
      count[action] += 1
    }
    return zip(changed, count).map { Float(Double($0) / Double(max($1, 1))) }
  }

  /// Of the habits.
  private func row(before place: Place) -> Int {
    let action = store.actions(place.shard, place.frame..<place.frame + 1).first!
    return action == Dynamics.noAction ? odds.use.count : Int(action)
  }

  var modelState: [String: Tensor] { odds.state }

  private func followed(_ place: Place) -> Int32 {
    store.actions(place.shard, place.frame + 1..<place.frame + 2).first!
  }

  private func tokens(_ places: some Sequence<Place>) -> [Int32] {
    places.flatMap { store.tokens($0.shard, $0.frame..<$0.frame + 1) }
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
      // What a player does next is mostly what he did: the picture is to say only what that does not.
      let habit = tape.constant(tape.arena.tensor([size, odds.use.count]))
      for (index, place) in some.enumerated() {
        let row = row(before: place)
        habit.value.slice(index..<index + 1).copy(from: habits.slice(row..<row + 1))
      }
      let (loss, correct) = tape.crossEntropy(
        tape.add(odds.logits(tape, half: half, tokens(some)), habit), targets: some.map(followed),
        scale: 1 / Float(configuration.batch))
      return (loss, (loss: loss.value[0], correct: correct))
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [
      ("loss", Double(reports.reduce(0) { $0 + $1.loss }) / 2),
      ("accuracy", Double(reports.reduce(0) { $0 + $1.correct }) / Double(parts * size)),
      ("gradientNorm", Double(norm)),
    ]
  }

  /// Of held-out transitions, the share whose action would be done as another; and of all actions the largest share of frames
  /// that one does not follow. An obstacle bars an action here and there; an action that is barred in a large part of the frames is at
  /// home in the others only, and its like in those.
  func validate() -> Figures {
    let tape = Tape(arena: Arena())
    var replaced = 0
    var barred = [Int](repeating: 0, count: odds.use.count)
    for place in heldOut {
      tape.reset()
      let found = odds.odds(after: tokens([place]), tape: tape)
      let action = followed(place)
      if odds.instead(of: action, odds: found, leastOdds: ActionOdds.leastSeen) != action { replaced += 1 }
      for (other, odds) in found.enumerated() where odds < ActionOdds.leastSeen { barred[other] += 1 }
    }
    let count = Double(max(1, heldOut.count))
    return [("replaced", Double(replaced) / count), ("mostBarred", Double(barred.max() ?? 0) / count)]
  }

  /// What was found, of all frames of the training episodes: each half judged by the classifier of the other. Where they were trained on
  /// other clips, nobody knows which of the two has seen an episode: then an action is unseen only if both say so.
  func unseen() -> UnseenActions {
    let actions = odds.configuration.actions
    var table = [Float](repeating: 1, count: store.count * actions)
    for half in 0..<2 {
      let judged = found(halves[half], by: 1 - half)
      let others = isTrained ? found(halves[half], by: half) : judged
      for (place, (one, other)) in zip(halves[half], zip(judged, others)) {
        let first = store.place(place.shard, place.frame) * actions
        table.replaceSubrange(first..<first + actions, with: zip(one, other).map(max))
      }
    }
    return UnseenActions(store, odds: table, similarities: odds.similarities)
  }

  /// The odds of all actions at each place.
  private func found(_ places: [Place], by half: Int) -> [[Float]] {
    let starts = Array(stride(from: 0, to: places.count, by: 64))
    let found = Slots<[[Float]]>(count: starts.count)
    workers.run { [self] worker in
      let tape = Tape(arena: Arena())
      for index in stride(from: worker, to: starts.count, by: workers.count) {
        tape.reset()
        let some = places[starts[index]..<min(places.count, starts[index] + 64)]
        let table = odds.odds(tape, half: half, after: tokens(some)).values
        let actions = odds.configuration.actions
        found[index] = stride(from: 0, to: table.count, by: actions).map { Array(table[$0..<$0 + actions]) }
      }
    }
    return Array(found.all.joined())
  }
}
