/// One environment with rules of its own: all that a game has to say to become a pool (``GamePool``).
///
/// A game is a value: a copy of it plays on independently. It checks nothing that the pool checks for it: the
/// pool calls `step` only with an action of its space, in an episode that has begun and not ended.
public protocol Game: Sendable {
  var specification: EnvironmentSpecification { get }

  /// Starts an episode.
  /// - Parameters:
  ///   - seed: determines the whole episode.
  ///   - level: the level to play; nil lets the seed choose.
  /// - Throws: ``EnvironmentError/unknownLevel(_:count:)``
  mutating func reset(seed: UInt64, level: Int?) throws(EnvironmentError)

  mutating func step(_ action: Int32) -> GameOutcome

  /// Writes the frame, `[height, width, channels]`, every byte of it.
  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>)

  /// The value, after the last reset or step, of one of the specification's auxiliaries.
  func auxiliary(_ name: String) -> Float

  /// Writes the whole state of the episode.
  func save(to snapshot: inout SnapshotWriter)

  /// Takes on a state that `save` wrote. The bytes may have been changed since.
  /// - Throws: ``EnvironmentError/invalidSnapshot(_:)``
  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError)
}

/// What one step of a game brought.
public struct GameOutcome: Sendable, Hashable {
  public var reward: Float
  /// The episode ended by itself.
  public var terminated: Bool

  public init(reward: Float = 0, terminated: Bool = false) {
    self.reward = reward
    self.terminated = terminated
  }
}
