extension ClipFolder {
  /// Pictures to start worlds from: frames from all over the video, each at most once, last frames of episodes left out.
  /// - Parameter count: at least one; all there are, where the video has fewer.
  /// - Throws: ``ClipError/noWindows(frames:longest:)`` where no frame follows another.
  public func pictures(_ count: Int, seed: UInt64) throws(ClipError) -> [Picture] {
    precondition(count > 0, "\(count) pictures")
    let places = episodes.flatMap { episode in
      episode.frames.dropLast().map { (shard: episode.shard, frame: $0) }
    }
    guard !places.isEmpty else { throw .noWindows(frames: 2, longest: 1) }
    let order = Permutation(count: places.count, seed: seed)
    return (0..<min(count, places.count)).map { index in
      let (shard, frame) = places[order[index]]
      return Picture(
        height: height, width: width, pixels: Array(shards[shard].frames(frame..<frame + 1)))
    }
  }
}
