import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning

/// A policy as the command line names it: a file, `random`, or `constant:N`.
enum PolicyChoice: Equatable {
  case random
  case constant(Int32)
  case file(String)

  /// - Throws: `ValidationError` for a constant that is no number.
  init(_ name: String) throws {
    if name == "random" {
      self = .random
    } else if name.hasPrefix("constant:") {
      guard let action = Int32(name.dropFirst("constant:".count)) else {
        throw ValidationError("'\(name)': an action is a number.")
      }
      self = .constant(action)
    } else {
      self = .file(name)
    }
  }

  /// The policy in an environment.
  /// - Parameter map: from the policy's own actions to the environment's; nil where they are the same.
  func policy(
    _ specification: EnvironmentSpecification, map: ActionMap? = nil,
    choice: ActorCriticPolicy.Choice = .sampled, workers: Workers
  ) throws -> any Policy {
    func mapped(_ policy: some Policy) -> any Policy {
      if let map { return MappedPolicy(policy, map: map) }
      return policy
    }
    switch self {
    case .random: return mapped(RandomPolicy(actionCount: map?.real.count ?? specification.actionSpace.count))
    case .constant(let action): return mapped(ConstantPolicy(action: action))
    case .file(let path):
      let file = try PolicyFile(contentsOf: URL(filePath: path))
      return mapped(ActorCriticPolicy(file.network, choice: choice, workers: workers))
    }
  }

  /// The policy in a dream or in its game: one that was trained in the other presses what the world's map says.
  /// - Parameter map: from latent to real actions.
  func mapped(
    to specification: EnvironmentSpecification, map: ActionMap, choice: ActorCriticPolicy.Choice = .sampled,
    workers: Workers
  ) throws -> any Policy {
    if case .file(let path) = self {
      let count = try PolicyFile(contentsOf: URL(filePath: path)).network.configuration.actions.count
      let wanted = specification.actionSpace.count
      if count != wanted, wanted == map.real.count, let inverse = map.inverse(realCount: count) {
        return try policy(specification, map: inverse, choice: choice, workers: workers)
      }
      if count != wanted, count == map.real.count {
        return try policy(specification, map: map, choice: choice, workers: workers)
      }
    }
    return try policy(specification, choice: choice, workers: workers)
  }
}
