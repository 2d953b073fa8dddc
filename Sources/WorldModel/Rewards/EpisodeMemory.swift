/// What a reward model may remember of an episode: how often it saw what. Emptied at each start.
public struct EpisodeMemory: Sendable, Equatable {
  private var visits: [UInt64: Int] = [:]

  public init() {}

  /// Counts one more visit.
  /// - Returns: visits so far, this one included.
  public mutating func visit(_ place: UInt64) -> Int {
    visits[place, default: 0] += 1
    return visits[place]!
  }
}
