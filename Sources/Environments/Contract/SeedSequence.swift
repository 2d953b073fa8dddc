/// The seeds of a slot's episodes: each follows from the one before, the first from 0.
///
/// A reset that names a seed starts a new sequence; one that names none continues it.
public struct SeedSequence: Sendable, Hashable {
  /// The seed of the next episode, if its reset names none.
  public private(set) var upcoming: UInt64

  public init(startingAt seed: UInt64 = 0) {
    upcoming = seed
  }

  /// The seed of the episode that starts now.
  public mutating func take(_ named: UInt64?) -> UInt64 {
    let seed = named ?? upcoming
    upcoming = SplitMix64.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
    return seed
  }
}
