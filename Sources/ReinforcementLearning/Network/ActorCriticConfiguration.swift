import Environments

/// What an ``ActorCritic`` looks at, what it can do and how large it is.
public struct ActorCriticConfiguration: Codable, Sendable, Equatable {
  /// One bank of filters, without padding, followed by a rectifier.
  public struct Stage: Codable, Sendable, Equatable {
    public var filters: Int
    public var kernel: Int
    public var stride: Int

    public init(filters: Int, kernel: Int, stride: Int) {
      self.filters = filters
      self.kernel = kernel
      self.stride = stride
    }
  }

  /// One frame of the environment.
  public var frame: Box
  /// Frames that the network sees at once, stacked by channel; one frame hides what moves.
  public var frames: Int
  public var actions: Discrete
  public var stages: [Stage]
  /// Width of the dense layer that both heads share.
  public var hidden: Int

  /// - Parameters:
  ///   - frame: of any size.
  ///   - stages: nil takes the ones that suit the size of the frame.
  public init(
    frame: Box, frames: Int = 1, actions: Discrete, stages: [Stage]? = nil, hidden: Int = 128
  ) {
    self.frame = frame
    self.frames = frames
    self.actions = actions
    self.stages = stages ?? Self.stages(for: frame)
    self.hidden = hidden
  }

  /// What the network sees: `[height, width, frames * channels]`.
  public var observationSpace: Box {
    Box(height: frame.height, width: frame.width, channels: frame.channels * frames)
  }

  /// Small banks that bring a frame down to a few places: the first two layers of the network of Mnih et al.
  /// (2015), narrower, because two processors have to train it; a third for large frames.
  public static func stages(for frame: Box) -> [Stage] {
    switch min(frame.height, frame.width) {
    case 80...:
      [
        Stage(filters: 16, kernel: 8, stride: 4), Stage(filters: 32, kernel: 4, stride: 2),
        Stage(filters: 32, kernel: 3, stride: 2),
      ]
    case 36...: [Stage(filters: 16, kernel: 8, stride: 4), Stage(filters: 32, kernel: 4, stride: 2)]
    case 8...: [Stage(filters: 16, kernel: 4, stride: 2)]
    default: []
    }
  }

  /// Height, width and channels after all stages.
  /// - Throws: ``PolicyError/unusable(reason:)`` for sizes that no network can have; a configuration may
  ///   come from a file.
  func outputOfStages() throws(PolicyError) -> (height: Int, width: Int, channels: Int) {
    let sizes = 1...(1 << 14)
    func check(_ name: String, _ value: Int) throws(PolicyError) {
      guard sizes.contains(value) else { throw .unusable(reason: "\(name) is \(value)") }
    }
    // Far above what anyone trains.
    func product(_ factors: Int...) throws(PolicyError) -> Int {
      var result = 1
      for factor in factors {
        let (value, overflows) = result.multipliedReportingOverflow(by: factor)
        guard !overflows, value <= 1 << 28 else { throw .unusable(reason: "it is too large") }
        result = value
      }
      return result
    }
    try check("the frame's height", frame.height)
    try check("the frame's width", frame.width)
    try check("the number of channels", frame.channels)
    try check("the number of stacked frames", frames)
    try check("the number of actions", actions.count)
    try check("the hidden width", hidden)
    guard actions.names.isEmpty || actions.names.count == actions.count else {
      throw .unusable(reason: "\(actions.names.count) names for \(actions.count) actions")
    }
    var (height, width, channels) = (frame.height, frame.width, try product(frame.channels, frames))
    _ = try product(height, width, channels)
    for stage in stages {
      try check("a number of filters", stage.filters)
      try check("a kernel", stage.kernel)
      try check("a stride", stage.stride)
      guard stage.kernel <= min(height, width) else {
        throw .unusable(reason: "a kernel of \(stage.kernel) for \(height) x \(width) places")
      }
      _ = try product(stage.kernel, stage.kernel, channels, stage.filters)
      height = (height - stage.kernel) / stage.stride + 1
      width = (width - stage.kernel) / stage.stride + 1
      channels = stage.filters
      _ = try product(height, width, channels)
    }
    _ = try product(height, width, channels, hidden)
    return (height, width, channels)
  }
}
