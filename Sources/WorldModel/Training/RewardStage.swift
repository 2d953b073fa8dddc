import Autograd
import Foundation
import NeuralNetwork
import Video

/// Trains the heads for rewards and ends on labelled transitions.
final class RewardStage: TrainingStage, @unchecked Sendable {
  let name = "rewards"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let model: TokenRewardModel
  private let data: LabelledTransitions
  private let heldOut: LabelledTransitions
  private let events: [Int]
  private let parallel: DataParallel
  private let key: RandomKey
  /// What an event counts more than its absence: events are rare.
  private let eventWeight: Float = 4

  init(
    _ model: TokenRewardModel, configuration: StageConfiguration, data: LabelledTransitions,
    heldOut: LabelledTransitions, workers: Workers, seed: UInt64
  ) {
    self.model = model
    self.configuration = configuration
    self.data = data
    self.heldOut = heldOut
    events = data.events
    optimizer = Optimizer(model.parameters, configuration.optimizer, workers: workers)
    parallel = DataParallel(model.parameters, workers: workers)
    key = RandomKey(seed: seed).folded(in: "rewards")
  }

  var modelState: [String: Tensor] { model.parameters.state }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let parts = 4
    let size = max(1, configuration.batch / parts)
    let (gradients, losses) = parallel.gradients(parts: parts) { [self] part, _, tape in
      // A quarter of the batch are transitions in which something happened.
      let rows = (0..<size).map { place in
        let counter = UInt64(part * size + place)
        return place % 4 == 0 && !events.isEmpty
          ? events[own.integer(counter, below: events.count)] : own.integer(counter, below: data.count)
      }
      let (previous, next) = data.tokens(rows)
      let logits = model.logits(tape, previous: previous, tokens: next)
      let width = data.width
      let gradient = tape.arena.tensor(logits.shape)
      var loss: Float = 0
      let scale = 1 / Float(size * parts)
      for (place, row) in rows.enumerated() {
        for i in 0..<width {
          let target = data.targets[row * width + i]
          let weight = scale * (target > 0 ? eventWeight : 1)
          let logit = logits.value[place * width + i]
          let probability = 1 / (1 + exp(-logit))
          loss += weight * (max(logit, 0) - logit * target + log1p(exp(-abs(logit))))
          gradient[place * width + i] = weight * (probability - target)
        }
      }
      return (tape.scalar(loss, of: logits, gradient: gradient), loss)
    }
    let norm = optimizer.update(gradients, progress: progress)
    return [("loss", Double(losses.reduce(0, +))), ("gradientNorm", Double(norm))]
  }

  func validate() -> Figures {
    scores().flatMap { [("f1.\($0.name)", $0.f1)] }
  }

  /// How well each reward, and the end, is found in held-out clips.
  func scores() -> [EventScore] { EventScore.measure(model, on: heldOut) }
}

/// Precision and recall of one kind of event.
public struct EventScore: Sendable, Equatable {
  public var name: String
  public var precision: Double
  public var recall: Double
  /// Events there were.
  public var count: Int

  public var f1: Double {
    precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
  }

  /// How well a model finds the rewards and ends of labelled clips.
  /// - Parameter store: the clips as tokens of the model's tokenizer.
  /// - Returns: one score for each reward that the model knows, then one for the end; none where the clips have no labels.
  public static func measure(
    _ model: TokenRewardModel, store: TokenStore, folder: ClipFolder, episodes: [ClipFolder.Episode]
  ) -> [EventScore] {
    guard folder.hasRewards || folder.hasEnds else { return [] }
    return measure(
      model,
      on: LabelledTransitions(store, folder: folder, episodes: episodes, values: model.configuration.values))
  }

  static func measure(_ model: TokenRewardModel, on data: LabelledTransitions) -> [EventScore] {
    let tape = Tape(arena: Arena())
    let width = data.width
    var found = [(right: Int, claimed: Int, there: Int)](repeating: (0, 0, 0), count: width)
    for start in stride(from: 0, to: data.count, by: 64) {
      tape.reset()
      let rows = Array(start..<min(data.count, start + 64))
      let (previous, next) = data.tokens(rows)
      let logits = model.logits(tape, previous: previous, tokens: next).value
      for (place, row) in rows.enumerated() {
        for i in 0..<width {
          let (claimed, there) = (logits[place * width + i] > 0, data.targets[row * width + i] > 0)
          found[i].right += claimed && there ? 1 : 0
          found[i].claimed += claimed ? 1 : 0
          found[i].there += there ? 1 : 0
        }
      }
    }
    return found.enumerated().map { index, counts in
      EventScore(
        name: index < data.values.count ? "reward \(data.values[index])" : "end",
        precision: Double(counts.right) / Double(max(1, counts.claimed)),
        recall: Double(counts.right) / Double(max(1, counts.there)), count: counts.there)
    }
  }
}
