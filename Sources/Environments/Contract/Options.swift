/// Frames that a world starts from: `[frames, height, width, 3]`, UInt8, row-major.
public struct Prompt: Sendable, Hashable {
  public var frames: Int
  public var height: Int
  public var width: Int
  public var pixels: [UInt8]

  /// - Precondition: `pixels` holds `frames * height * width * 3` bytes.
  public init(frames: Int = 1, height: Int, width: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == frames * height * width * 3,
      "a prompt of \(frames) x \(height) x \(width) x 3 needs \(frames * height * width * 3) bytes, not \(pixels.count)"
    )
    self.frames = frames
    self.height = height
    self.width = width
    self.pixels = pixels
  }
}

/// What is negotiated once, when a slot is opened.
public struct OpenOptions: Codable, Sendable, Hashable {
  /// Auxiliaries to report with every step, from the specification's list.
  public var auxiliaries: [String]
  /// Truncates an episode after so many steps; nil leaves the pool's own horizon.
  public var horizon: Int?

  public init(auxiliaries: [String] = [], horizon: Int? = nil) {
    self.auxiliaries = auxiliaries
    self.horizon = horizon
  }
}

/// How an episode starts.
///
/// Without a seed, an environment continues its own sequence of seeds; a slot's first sequence starts at 0,
/// so that a run without any seed still repeats.
public struct ResetOptions: Sendable, Hashable {
  /// Determines the episode, and the seeds of the slot's later episodes.
  public var seed: UInt64?
  /// The level to play; nil lets the seed choose.
  public var level: Int?
  /// Frames to start from instead of a level.
  public var prompt: Prompt?

  public init(seed: UInt64? = nil, level: Int? = nil, prompt: Prompt? = nil) {
    self.seed = seed
    self.level = level
    self.prompt = prompt
  }
}
