/// How videos become clips.
public struct ImportOptions: Sendable, Equatable {
  /// How a picture that is not square becomes one.
  public enum Fit: String, Sendable, CaseIterable {
    /// The largest square in the middle: proportions stay, the sides are lost.
    case crop
    /// All of the picture, squeezed.
    case stretch
  }

  /// Height and width of the frames in pixels.
  public var size: Int
  /// Frames a second; nil keeps the file's own rate. Pictures in a folder are taken one by one at any rate.
  public var framesPerSecond: Double?
  /// Where the file's own rate is kept, but it is higher than this, frames are left out; nil keeps any.
  public var highestFramesPerSecond: Double?
  public var fit: Fit
  /// Whether scene changes begin new episodes; if not, only files and dropped frames do.
  public var detectsCuts: Bool
  /// Drops frames in which no channel of any pixel exceeds 16.
  public var dropsBlack: Bool
  /// Identical frames in a row that are kept, the rest being dropped as frozen; nil keeps all.
  public var longestFreeze: Int?
  /// Frames that an episode needs; shorter ones are dropped.
  public var shortestEpisode: Int
  /// Frames after which a shard is closed with the episode; only a longer episode is divided. As many as 256 MiB hold, and at
  /// most 4,096, if none are named.
  public var framesPerShard: Int
  private static let shardBytes = 256 << 20

  public init(
    size: Int = 64, framesPerSecond: Double? = nil, highestFramesPerSecond: Double? = nil, fit: Fit = .crop,
    detectsCuts: Bool = true,
    dropsBlack: Bool = true, longestFreeze: Int? = 64, shortestEpisode: Int = 8, framesPerShard: Int? = nil
  ) {
    precondition(
      size > 0 && framesPerSecond ?? 1 > 0, "size \(size), \(framesPerSecond ?? 0) frames a second")
    let framesPerShard =
      framesPerShard ?? max(shortestEpisode, min(4096, Self.shardBytes / (3 * max(1, size * size))))
    precondition(
      shortestEpisode > 0 && framesPerShard >= shortestEpisode && longestFreeze ?? 1 > 0,
      "episodes of \(shortestEpisode) frames in shards of \(framesPerShard)")
    self.size = size
    self.framesPerSecond = framesPerSecond
    self.highestFramesPerSecond = highestFramesPerSecond
    self.fit = fit
    self.detectsCuts = detectsCuts
    self.dropsBlack = dropsBlack
    self.longestFreeze = longestFreeze
    self.shortestEpisode = shortestEpisode
    self.framesPerShard = framesPerShard
  }
}
