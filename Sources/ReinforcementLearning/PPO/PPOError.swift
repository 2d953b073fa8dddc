import Environments
import NeuralNetwork

/// Why a training cannot begin or go on.
public enum PPOError: Error, Sendable, Equatable, CustomStringConvertible {
  case invalidSetting(name: String, value: String)
  case environment(EnvironmentError)
  case policy(PolicyError)
  case checkpoint(CheckpointError)
  /// The checkpoint is of a training with other settings.
  case otherTraining(file: String, what: String)
  /// Gradients are not finite at this environment step: nothing sensible would follow.
  case diverged(step: Int)

  public var description: String {
    switch self {
    case .invalidSetting(let name, let value): "the setting '\(name)' cannot be \(value)"
    case .environment(let error): "\(error)"
    case .policy(let error): "\(error)"
    case .checkpoint(let error): "\(error)"
    case .otherTraining(let file, let what): "\(file) is of another training: its \(what) differ"
    case .diverged(let step): "the training diverged at step \(step): try a smaller learning rate"
    }
  }
}
