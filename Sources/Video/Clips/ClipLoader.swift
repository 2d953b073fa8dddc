/// Windows of consecutive frames in random order, for training.
///
/// No window crosses the start of an episode. Every window comes once before any comes again. Batch `n` is a
/// function of the seed and `n` alone: a job that goes on at batch `n` sees what it would have seen.
public struct ClipLoader: Sendable {
  /// Where a window begins.
  public struct Origin: Sendable, Equatable, Codable {
    /// Index into ``ClipFolder/shards``.
    public let shard: Int
    /// The first frame's index in that shard.
    public let start: Int

    public init(shard: Int, start: Int) {
      self.shard = shard
      self.start = start
    }
  }

  /// Windows, one after the other. Labels are nil unless every shard has them.
  public struct Batch: Sendable, Equatable {
    /// `[windows, frames, height, width, 3]`.
    public let frames: [UInt8]
    public let origins: [Origin]
    /// `[windows, frames]`; see ``Clip``.
    public let actions: [Int32]?
    /// `[windows, frames]`.
    public let rewards: [Float]?
    /// `[windows, frames]`.
    public let ends: [Bool]?
  }

  public let folder: ClipFolder
  /// Frames of a window.
  public let frames: Int
  /// Windows of a batch.
  public let batchSize: Int
  public let seed: UInt64
  /// The number of different windows.
  public let windowCount: Int

  private let episodes: [ClipFolder.Episode]
  /// For each episode the number of windows in it and those before it.
  private let cumulative: [Int]

  /// - Parameters:
  ///   - episodes: those to draw from, for instance one side of ``ClipFolder/split(heldOut:seed:)``; nil: all.
  ///   - frames: frames of a window, at least 1.
  ///   - batchSize: windows of a batch, at least 1.
  ///   - runsOver: of which episodes windows may begin at any frame but the last, and so run over the end: every frame is then in
  ///     as many windows as any other, but for the first ones. Such windows are only for ``origins(_:)``; what is seen after the
  ///     end is for the caller to say.
  /// - Throws: ``ClipError/noWindows(frames:longest:)`` if all episodes are too short.
  public init(
    _ folder: ClipFolder, episodes: [ClipFolder.Episode]? = nil, frames: Int, batchSize: Int, seed: UInt64,
    runsOver: (ClipFolder.Episode) -> Bool = { _ in false }
  ) throws(ClipError) {
    precondition(frames > 0 && batchSize > 0, "windows of \(frames) frames, \(batchSize) of them")
    let episodes = episodes ?? folder.episodes
    func windows(_ episode: ClipFolder.Episode) -> Int {
      let length = episode.frames.count
      return runsOver(episode) ? length - 1 : length - frames + 1
    }
    let longEnough = episodes.filter { windows($0) > 0 }
    var total = 0
    cumulative = longEnough.map { episode in
      total += windows(episode)
      return total
    }
    guard total > 0 else {
      throw .noWindows(frames: frames, longest: episodes.map(\.frames.count).max() ?? 0)
    }
    self.folder = folder
    self.episodes = longEnough
    self.frames = frames
    self.batchSize = batchSize
    self.seed = seed
    windowCount = total
  }

  /// Batch `number`, whatever was read before.
  public func batch(_ number: Int) -> Batch {
    read(origins(number))
  }

  /// Where the windows of batch `number` begin, without reading them.
  public func origins(_ number: Int) -> [Origin] {
    (0..<batchSize).map { origin(of: number * batchSize + $0) }
  }

  /// Any windows, for instance fixed ones for validation.
  /// - Precondition: they lie within their shards.
  public func read(_ origins: [Origin]) -> Batch {
    let size = frames * folder.height * folder.width * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: origins.count * size) { buffer, initialized in
      let target = UnsafeMutableRawBufferPointer(buffer)
      for (index, origin) in origins.enumerated() {
        folder.shards[origin.shard].withFrames(origin.start..<origin.start + frames) { source in
          UnsafeMutableRawBufferPointer(rebasing: target[index * size..<(index + 1) * size])
            .copyMemory(from: source)
        }
      }
      initialized = origins.count * size
    }
    return Batch(
      frames: pixels, origins: origins,
      actions: labels(folder.hasActions, origins, \.actions),
      rewards: labels(folder.hasRewards, origins, \.rewards),
      ends: labels(folder.hasEnds, origins, \.ends))
  }

  /// The window at a place of the endless shuffled sequence.
  private func origin(of place: Int) -> Origin {
    let epoch = UInt64(place / windowCount)
    let window = Permutation(count: windowCount, seed: mixed(seed, epoch))[place % windowCount]
    // The first episode whose cumulative count exceeds the window.
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > window { high = middle } else { low = middle + 1 }
    }
    let before = low == 0 ? 0 : cumulative[low - 1]
    let episode = episodes[low]
    return Origin(shard: episode.shard, start: episode.frames.lowerBound + window - before)
  }

  private func labels<Element>(
    _ areThere: Bool, _ origins: [Origin], _ path: KeyPath<ClipShard, [Element]?>
  ) -> [Element]? {
    guard areThere else { return nil }
    return origins.flatMap { origin in
      folder.shards[origin.shard][keyPath: path]![origin.start..<origin.start + frames]
    }
  }
}
