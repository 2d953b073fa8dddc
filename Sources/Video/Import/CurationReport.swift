/// What an import read, kept and dropped.
public struct CurationReport: Sendable, Equatable {
  /// Counts of frames, unless named otherwise.
  public struct Counts: Sendable, Equatable {
    public var read = 0
    public var kept = 0
    public var droppedBlack = 0
    public var droppedFrozen = 0
    /// In episodes that were too short.
    public var droppedShort = 0
    /// Scene changes found.
    public var cuts = 0
    /// Episodes kept.
    public var episodes = 0

    static func + (left: Counts, right: Counts) -> Counts {
      Counts(
        read: left.read + right.read, kept: left.kept + right.kept,
        droppedBlack: left.droppedBlack + right.droppedBlack,
        droppedFrozen: left.droppedFrozen + right.droppedFrozen,
        droppedShort: left.droppedShort + right.droppedShort, cuts: left.cuts + right.cuts,
        episodes: left.episodes + right.episodes)
    }
  }

  /// One input file or folder of pictures.
  public struct Source: Sendable, Equatable {
    public let path: String
    /// The rate of the frames kept, nil if nobody knows.
    public let framesPerSecond: Double?
    public let counts: Counts
    /// The last complaint of a decoder that went on nevertheless.
    public let warning: String?
  }

  public internal(set) var sources: [Source] = []

  /// All sources together.
  public var total: Counts { sources.reduce(Counts()) { $0 + $1.counts } }
}
