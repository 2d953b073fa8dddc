/// Turns a stream of frames into shards: finds cuts, drops what teaches nothing, closes a shard when it is
/// full. Holds at most two shards' frames in memory.
struct Curator {
  private let options: ImportOptions
  private let metadata: [String: String]
  private let emit: (Clip) throws(ImportError) -> Void
  private var cuts = CutDetector()
  private var previous: [UInt8]?
  private var repeats = 0

  // The shard that grows: whole episodes, then the open one from `openStart` on.
  private var frames: [UInt8] = []
  private var starts: [Int] = []
  private var openStart = 0
  private var count = 0

  private(set) var counts = CurationReport.Counts()
  private(set) var samples: [CurationReport.Sample] = []
  /// Samples of a reason that are kept.
  private static let sampleLimit = 24
  /// Frames read when the last one was dropped.
  private var lastDropped = -1

  init(
    options: ImportOptions, metadata: [String: String], emit: @escaping (Clip) throws(ImportError) -> Void
  ) {
    self.options = options
    self.metadata = metadata
    self.emit = emit
  }

  /// Takes the next frame, `[size, size, 3]`.
  mutating func append(_ frame: [UInt8]) throws(ImportError) {
    counts.read += 1
    let isRepeat = frame == previous
    repeats = isRepeat ? repeats + 1 : 0
    let before = previous
    previous = frame
    if options.dropsBlack, frame.allSatisfy({ $0 <= 16 }) {
      counts.droppedBlack += 1
      keepSample(.black, [frame])
      return try interrupt()
    }
    if let longest = options.longestFreeze, repeats >= longest {
      counts.droppedFrozen += 1
      keepSample(.frozen, [frame])
      return try interrupt()
    }
    if options.detectsCuts, !isRepeat,
      cuts.isCut(Picture(height: options.size, width: options.size, pixels: frame))
    {
      counts.cuts += 1
      keepSample(.cut, [before ?? frame, frame])
      try closeEpisode()
    }
    // An episode that fills a shard by itself goes on in the next one.
    if count - openStart == options.framesPerShard { try closeEpisode() }
    frames += frame
    count += 1
  }

  /// Ends the last episode and emits what is left.
  mutating func finish() throws(ImportError) {
    try closeEpisode(isLast: true)
  }

  /// Keeps a frame to look at; of a run of dropped frames only the first.
  private mutating func keepSample(_ reason: CurationReport.Reason, _ frames: [[UInt8]]) {
    let same = samples.filter { $0.reason == reason }
    let isRun = reason != .cut && reason != .tooShort && lastDropped == counts.read - 1
    lastDropped = counts.read
    guard same.count < Self.sampleLimit, !isRun else { return }
    samples.append(
      CurationReport.Sample(
        reason: reason, frame: counts.read - 1,
        pictures: frames.map { Picture(height: options.size, width: options.size, pixels: $0) }))
  }

  /// A frame was dropped: what follows does not continue what was before.
  private mutating func interrupt() throws(ImportError) {
    try closeEpisode()
    cuts.restart()
  }

  private mutating func closeEpisode(isLast: Bool = false) throws(ImportError) {
    let length = count - openStart
    if length >= options.shortestEpisode {
      starts.append(openStart)
      counts.episodes += 1
      counts.kept += length
    } else {
      counts.droppedShort += length
      if length > 0 { keepSample(.tooShort, [Array(frames.suffix(options.size * options.size * 3))]) }
      count = openStart
      frames.removeLast(length * options.size * options.size * 3)
    }
    openStart = count
    guard count > 0, isLast || count >= options.framesPerShard else { return }
    try emit(
      Clip(
        height: options.size, width: options.size, frames: frames, episodeStarts: starts, metadata: metadata))
    frames.removeAll(keepingCapacity: true)
    starts = []
    openStart = 0
    count = 0
  }
}
