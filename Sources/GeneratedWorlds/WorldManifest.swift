import Environments
import WorldModel

/// What a world's folder says about itself, in `world.json`.
public struct WorldManifest: Codable, Sendable, Equatable {
  /// Of the folder; a reader refuses a newer one, and says so.
  public static let currentFormat = 1

  public var format: Int
  public var name: String
  public var sampling: SamplingConfiguration
  /// Steps after which a dream is truncated, where nobody asks for another horizon.
  public var horizon: Int
  /// Frames a second of the video.
  public var frameRate: Double
  /// What ``frameRate`` can be.
  static let frameRates = 0.01...1000
  /// What each latent action does, where somebody knows.
  public var actionNames: [String]
  /// The real action for each latent one, where labelled transitions told.
  public var actionMap: ActionMap?
  public var training: TrainingRecord?
  /// For each level, whether it is where an episode of the video began; nil where that was not kept.
  public var levelsBegin: [Bool]?
  /// Of the models' files, by name: FNV-1a, 64 bits, hexadecimal. Tells damage and mix-ups, not malice.
  public var hashes: [String: String]

  public init(
    name: String, sampling: SamplingConfiguration, horizon: Int = 128, frameRate: Double = 15,
    actionNames: [String] = [], actionMap: ActionMap? = nil, training: TrainingRecord? = nil
  ) {
    format = Self.currentFormat
    self.name = name
    self.sampling = sampling
    self.horizon = horizon
    self.frameRate = frameRate
    self.actionNames = actionNames
    self.actionMap = actionMap
    self.training = training
    hashes = [:]
  }
}

/// How a world was made.
public struct TrainingRecord: Codable, Sendable, Equatable {
  public var command: String
  public var seed: UInt64
  public var date: String
  public var processors: Int
  /// Frames trained on, and where they came from.
  public var frames: Int
  public var source: String
  public var configuration: TrainingConfiguration
  public var stages: [StageRecord]

  public init(
    command: String, seed: UInt64, date: String, processors: Int, frames: Int, source: String,
    configuration: TrainingConfiguration, stages: [StageRecord]
  ) {
    self.command = command
    self.seed = seed
    self.date = date
    self.processors = processors
    self.frames = frames
    self.source = source
    self.configuration = configuration
    self.stages = stages
  }

  public var seconds: Double { stages.reduce(0) { $0 + $1.seconds } }
}
