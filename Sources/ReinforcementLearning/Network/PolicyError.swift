import Environments
import NeuralNetwork

/// Why a policy cannot be made, loaded or used here.
public enum PolicyError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Its configuration describes no network.
  case unusable(reason: String)
  case checkpoint(CheckpointError)
  /// It was made for other observations than the environment gives.
  case observationMismatch(policy: Box, environment: Box)
  /// It was made for another number of actions.
  case actionMismatch(policy: Int, environment: Int)

  public var description: String {
    switch self {
    case .unusable(let reason): "the policy's configuration cannot be used: \(reason)"
    case .checkpoint(let error): "\(error)"
    case .observationMismatch(let policy, let environment):
      "the policy sees frames of \(policy.height) x \(policy.width) x \(policy.channels), "
        + "the environment gives \(environment.height) x \(environment.width) x \(environment.channels)"
    case .actionMismatch(let policy, let environment):
      "the policy chooses among \(policy) actions, the environment has \(environment)"
    }
  }
}
