/// The space of observations: one picture, `[height, width, channels]`, UInt8, row-major.
public struct Box: Codable, Sendable, Hashable {
  public var height: Int
  public var width: Int
  public var channels: Int

  public init(height: Int, width: Int, channels: Int = 3) {
    precondition(
      height > 0 && width > 0 && channels > 0, "an empty observation: \(height) x \(width) x \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// Bytes of one observation.
  public var byteCount: Int { height * width * channels }
}

/// The space of actions: codes in `0..<count`, with names where a person knows what they do.
public struct Discrete: Codable, Sendable, Hashable {
  public var count: Int
  /// Either empty or `count` names.
  public var names: [String]

  public init(_ count: Int, names: [String] = []) {
    precondition(count > 0, "an action space needs at least one action")
    precondition(names.isEmpty || names.count == count, "\(names.count) names for \(count) actions")
    self.count = count
    self.names = names
  }

  public func contains(_ action: Int32) -> Bool { action >= 0 && Int(action) < count }
}
