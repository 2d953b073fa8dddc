import Autograd
import Environments

/// Chooses actions from what is seen.
///
/// A policy keeps nothing from step to step: what it needs of the past is in the stacked frames of its
/// observations, and what it draws, it draws with the key of the row. So an episode does not depend on which
/// others are played beside it.
public protocol Policy {
  /// Frames, stacked by channel (``FrameStack``), that an observation shows.
  var frames: Int { get }

  /// - Parameters:
  ///   - observations: `[keys.count, height, width, frames * channels]`, UInt8.
  ///   - keys: one a row, different in every step.
  /// - Returns: one action a row.
  func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32]

  /// Whether it can act in an environment.
  /// - Throws: ``PolicyError/observationMismatch(policy:environment:)`` or
  ///   ``PolicyError/actionMismatch(policy:environment:)``
  func check(_ specification: EnvironmentSpecification) throws(PolicyError)
}

/// Every action as likely as any other.
public struct RandomPolicy: Policy {
  public let actionCount: Int
  public var frames: Int { 1 }

  public init(actionCount: Int) {
    self.actionCount = actionCount
  }

  public func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32] {
    keys.map { Int32($0.integer(0, below: actionCount)) }
  }

  public func check(_ specification: EnvironmentSpecification) throws(PolicyError) {
    try specification.actionSpace.check(policy: actionCount)
  }
}

/// Always the same action: what a policy that looked at nothing could do.
public struct ConstantPolicy: Policy {
  public let action: Int32
  public var frames: Int { 1 }

  public init(action: Int32) {
    self.action = action
  }

  public func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32] {
    Array(repeating: action, count: keys.count)
  }

  public func check(_ specification: EnvironmentSpecification) throws(PolicyError) {
    guard specification.actionSpace.contains(action) else {
      throw .actionMismatch(policy: Int(action) + 1, environment: specification.actionSpace.count)
    }
  }
}

extension Discrete {
  /// - Throws: ``PolicyError/actionMismatch(policy:environment:)``
  func check(policy count: Int) throws(PolicyError) {
    guard count == self.count else { throw .actionMismatch(policy: count, environment: self.count) }
  }
}
