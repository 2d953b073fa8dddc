/// Somebody who can play in a person's stead: a trained policy, in the eyes of a page that knows no model.
public protocol Player: Sendable {
  /// What the page calls it.
  var name: String { get }
  /// Frames, stacked by channel with the oldest first, that an observation shows.
  var frames: Int { get }

  /// - Parameters:
  ///   - observation: `[height, width, frames * channels]`, UInt8.
  ///   - seed: of what is drawn; the same seed and observation give the same decision.
  func decide(_ observation: [UInt8], seed: UInt64) -> Decision
}

/// What a player would do next, and what it expects.
public struct Decision: Sendable, Equatable {
  /// In `0..<actionSpace.count`.
  public var action: Int32
  /// Of each action; empty where the player has none to tell.
  public var probabilities: [Float]
  /// What the player expects to earn from here on.
  public var value: Float?

  public init(action: Int32, probabilities: [Float] = [], value: Float? = nil) {
    self.action = action
    self.probabilities = probabilities
    self.value = value
  }
}
