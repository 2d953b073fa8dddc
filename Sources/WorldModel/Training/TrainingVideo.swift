import Autograd

/// Video to train on, by number of frame: where a training clip may begin, and its frames.
///
/// Frames are numbered through all shards; an episode is a run of frames without a cut.
public protocol TrainingVideo: Sendable {
  var height: Int { get }
  var width: Int { get }
  /// Runs of frames without a cut, in order, without overlap.
  var episodes: [Range<Int>] { get }
  /// Frames `range`, which must lie within one episode: `[range.count, height, width, 3]`.
  func frames(_ range: Range<Int>) -> [UInt8]
}

/// Draws clips of consecutive frames that never cross a cut, as a pure function of a key.
struct ClipSampler: Sendable {
  let video: any TrainingVideo
  let time: Int
  private let episodes: [Range<Int>]
  /// Number of starts up to and with each episode.
  private let cumulative: [Int]

  /// - Throws: where no episode is long enough.
  init(_ video: any TrainingVideo, episodes: [Range<Int>]? = nil, time: Int) throws(TrainingError) {
    self.video = video
    self.time = time
    let all = episodes ?? video.episodes
    self.episodes = all.filter { $0.count >= time }
    var total = 0
    cumulative = self.episodes.map {
      total += $0.count - time + 1
      return total
    }
    if total == 0 { throw .notEnoughVideo(frames: all.map(\.count).max() ?? 0, needed: time) }
  }

  /// Places where a clip may begin.
  var count: Int { cumulative.last ?? 0 }

  /// The `index`-th place.
  func start(_ index: Int) -> Int {
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > index { high = middle } else { low = middle + 1 }
    }
    return episodes[low].upperBound - time + 1 - (cumulative[low] - index)
  }

  /// First frames of `count` clips.
  func starts(_ count: Int, key: RandomKey) -> [Int] {
    (0..<count).map { start(key.integer(UInt64($0), below: self.count)) }
  }

  /// Clips that are spread evenly over the video: always the same, for validation.
  func evenStarts(_ count: Int) -> [Int] {
    (0..<min(count, self.count)).map { start($0 * self.count / min(count, self.count)) }
  }

  func batch(_ starts: [Int]) -> FrameBatch {
    FrameBatch(
      clips: starts.count, time: time, height: video.height, width: video.width,
      bytes: starts.flatMap { video.frames($0..<$0 + time) })
  }
}
