/// What a pool offers, told once to whoever is about to use it.
public struct EnvironmentSpecification: Codable, Sendable, Hashable {
  /// Name and version, such as `Platformer-v1`.
  public var name: String
  public var observationSpace: Box
  public var actionSpace: Discrete
  /// Steps after which an episode is truncated; nil where nothing truncates.
  public var horizon: Int?
  /// Frames a second at which a person would play it.
  public var frameRate: Double
  /// Levels that a reset can name (`0..<levels`); nil where any number is a level (a generator's seed).
  public var levels: Int?
  /// Frames that a prompt may hold; 0 where a reset takes no prompt.
  public var promptLimit: Int
  /// Names of the auxiliaries that can be asked for when a slot is opened, such as `logLikelihood`.
  public var auxiliaries: [String]
  /// Slots that may be open at once.
  public var slotLimit: Int

  public init(
    name: String, observationSpace: Box, actionSpace: Discrete, horizon: Int? = nil, frameRate: Double = 15,
    levels: Int? = nil, promptLimit: Int = 0, auxiliaries: [String] = [], slotLimit: Int = 16_384
  ) {
    self.name = name
    self.observationSpace = observationSpace
    self.actionSpace = actionSpace
    self.horizon = horizon
    self.frameRate = frameRate
    self.levels = levels
    self.promptLimit = promptLimit
    self.auxiliaries = auxiliaries
    self.slotLimit = slotLimit
  }
}

extension EnvironmentSpecification {
  /// Checks what every pool must check when a slot is opened.
  /// - Throws: ``EnvironmentError/unknownAuxiliary(_:offered:)`` or
  ///   ``EnvironmentError/invalidOption(name:reason:)``.
  public func check(_ options: OpenOptions) throws(EnvironmentError) {
    for name in options.auxiliaries where !auxiliaries.contains(name) {
      throw .unknownAuxiliary(name, offered: auxiliaries)
    }
    guard Set(options.auxiliaries).count == options.auxiliaries.count else {
      throw .invalidOption(name: "auxiliaries", reason: "one is named twice")
    }
    if let horizon = options.horizon, horizon < 1 {
      throw .invalidOption(name: "horizon", reason: "\(horizon) is less than one step")
    }
  }
}
