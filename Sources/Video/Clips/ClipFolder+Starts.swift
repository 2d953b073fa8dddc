/// A picture that a world can start from.
public struct StartFrame: Sendable {
  public let picture: Picture
  /// Whether an episode may begin with it, so that its age is known.
  public let begins: Bool

  public init(_ picture: Picture, begins: Bool = true) {
    self.picture = picture
    self.begins = begins
  }
}

extension ClipFolder {
  /// Frames from all over the video, each at most once, last frames of episodes left out.
  /// - Parameter count: at least one; all there are, where the video has fewer.
  /// - Throws: ``ClipError/noWindows(frames:longest:)`` where no frame follows another.
  public func starts(_ count: Int, seed: UInt64) throws(ClipError) -> [StartFrame] {
    precondition(count > 0, "\(count) start frames")
    let places = episodes.flatMap { episode in
      episode.frames.dropLast().map { (shard: episode.shard, frame: $0, first: episode.frames.lowerBound) }
    }
    guard !places.isEmpty else { throw .noWindows(frames: 2, longest: 1) }
    let order = Permutation(count: places.count, seed: seed)
    return (0..<min(count, places.count)).map { index in
      let (shard, frame, first) = places[order[index]]
      return StartFrame(
        Picture(height: height, width: width, pixels: Array(shards[shard].frames(frame..<frame + 1))),
        begins: frame == first && !shards[shard].beginsAnywhere)
    }
  }
}
