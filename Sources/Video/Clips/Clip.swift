/// Consecutive frames of one or several episodes, with labels where they are known.
///
/// `frames[t]` was seen, `actions[t]` pressed while seeing it (-1: nothing, the episode's last frame or an
/// unknown action), `rewards[t]` and `ends[t]` are what that press gave.
public struct Clip: Sendable, Equatable {
  public let height: Int
  public let width: Int
  /// `[time, height, width, 3]`, 0...255.
  public private(set) var frames: [UInt8]
  /// Indices of the frames that no earlier frame leads to, ascending; the first is 0.
  public private(set) var episodeStarts: [Int]
  /// `[time]`, nil where nobody recorded them.
  public private(set) var actions: [Int32]?
  public private(set) var rewards: [Float]?
  public private(set) var ends: [Bool]?
  /// What else is known, such as `fps` and `source`.
  public var metadata: [String: String]

  /// - Precondition: whole frames, at least one; starts ascending from 0; labels one a frame.
  public init(
    height: Int, width: Int, frames: [UInt8], episodeStarts: [Int] = [0], actions: [Int32]? = nil,
    rewards: [Float]? = nil, ends: [Bool]? = nil, metadata: [String: String] = [:]
  ) {
    let size = height * width * 3
    precondition(
      size > 0 && !frames.isEmpty && frames.count % size == 0,
      "\(frames.count) bytes are no frames of shape [\(height), \(width), 3]")
    let count = frames.count / size
    precondition(
      Self.areStarts(episodeStarts, frames: count), "starts \(episodeStarts) in a clip of \(count) frames")
    for (name, labels) in [("actions", actions?.count), ("rewards", rewards?.count), ("ends", ends?.count)] {
      precondition(labels ?? count == count, "\(labels ?? 0) \(name) for \(count) frames")
    }
    self.height = height
    self.width = width
    self.frames = frames
    self.episodeStarts = episodeStarts
    self.actions = actions
    self.rewards = rewards
    self.ends = ends
    self.metadata = metadata
  }

  /// The number of frames.
  public var count: Int { frames.count / frameSize }

  /// Bytes of one frame.
  public var frameSize: Int { height * width * 3 }

  /// The frame at an index in `0..<count`.
  public subscript(index: Int) -> Picture {
    precondition(index >= 0 && index < count, "frame \(index) of \(count)")
    return Picture(
      height: height, width: width, pixels: Array(frames[index * frameSize..<(index + 1) * frameSize]))
  }

  /// The frames of each episode.
  public var episodes: [Range<Int>] { Self.episodes(starts: episodeStarts, frames: count) }

  /// Appends the episodes of another clip. Labels that only one of the two has are dropped.
  /// - Precondition: frames of the same size.
  public mutating func append(_ other: Clip) {
    precondition(
      other.height == height && other.width == width,
      "frames of [\(other.height), \(other.width)] after frames of [\(height), \(width)]")
    let offset = count
    frames += other.frames
    episodeStarts += other.episodeStarts.map { $0 + offset }
    actions = joined(actions, other.actions)
    rewards = joined(rewards, other.rewards)
    ends = joined(ends, other.ends)
  }

  static func areStarts(_ starts: [Int], frames: Int) -> Bool {
    guard starts.first == 0, starts.last! < frames else { return false }
    return zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 }
  }

  static func episodes(starts: [Int], frames: Int) -> [Range<Int>] {
    zip(starts, starts.dropFirst() + [frames]).map { $0..<$1 }
  }
}

private func joined<Element>(_ first: [Element]?, _ second: [Element]?) -> [Element]? {
  guard let first, let second else { return nil }
  return first + second
}
