import Environments

/// Whoever chooses actions.
///
/// ```swift
/// struct MyAgent: Agent {
///   func act(on observation: [UInt8], of specification: EnvironmentSpecification) -> Int32 {
///     .random(in: 0..<Int32(specification.actionSpace.count))
///   }
/// }
/// ```
public protocol Agent {
  /// Called before the first action of an episode.
  mutating func begin(_ specification: EnvironmentSpecification) async throws
  /// Chooses an action.
  /// - Parameter observation: `[height, width, channels]`, UInt8.
  mutating func act(on observation: [UInt8], of specification: EnvironmentSpecification) async throws -> Int32
  /// Called with what each action brought.
  mutating func learn(from transition: Transition, after action: Int32) async throws
}

extension Agent {
  public mutating func begin(_ specification: EnvironmentSpecification) {}
  public mutating func learn(from transition: Transition, after action: Int32) {}
}
