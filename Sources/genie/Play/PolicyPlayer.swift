import Autograd
import Environments
import Foundation
import PlayPage
import ReinforcementLearning

/// A trained policy, as a page lets it play: it draws its actions, as in training.
struct PolicyPlayer: Player {
  let name: String
  private let inference: BatchInference
  /// What it chooses, as an action of the environment; nil where they are the same.
  private let map: ActionMap?

  /// - Parameter map: of a dream's policy that plays the real game.
  /// - Throws: `PolicyError` for a file that cannot be read, or a policy that does not fit.
  init(_ path: String, map: ActionMap?, specification: EnvironmentSpecification) throws(PolicyError) {
    let file = try PolicyFile(contentsOf: URL(filePath: path))
    // One frame at a time: a second thread would cost more than it brings.
    let workers = Workers(count: 1)
    let policy = ActorCriticPolicy(file.network, choice: .sampled, workers: workers)
    if let map {
      try MappedPolicy(policy, map: map).check(specification)
    } else {
      try policy.check(specification)
    }
    let name = URL(filePath: path).lastPathComponent
    self.name = name.hasSuffix(PolicyFile.suffix) ? String(name.dropLast(PolicyFile.suffix.count)) : name
    self.map = map
    inference = BatchInference(file.network, workers: workers)
  }

  var frames: Int { inference.network.configuration.frames }

  func decide(_ observation: [UInt8], seed: UInt64) -> Decision {
    let (logits, values) = inference(observation, count: 1)
    let highest = logits.max() ?? 0
    let weights = logits.map { exp($0 - highest) }
    let sum = weights.reduce(0, +)
    var rest = RandomKey(seed: seed).uniform(0) * sum
    var chosen = weights.count - 1
    for (action, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 {
        chosen = action
        break
      }
    }
    let chances = weights.map { $0 / sum }
    guard let map else {
      return Decision(action: Int32(chosen), probabilities: chances, value: values.first)
    }
    // Several latent actions may be one real action: their chances add up.
    var real = [Float](repeating: 0, count: Int(map.real.max() ?? 0) + 1)
    for (latent, chance) in chances.enumerated() { real[Int(map(Int32(latent)))] += chance }
    return Decision(action: map(Int32(chosen)), probabilities: real, value: values.first)
  }
}
