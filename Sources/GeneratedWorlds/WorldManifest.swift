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
  /// What each latent action does, where somebody knows.
  public var actionNames: [String]
  /// The real action for each latent one, where labelled transitions told.
  public var actionMap: ActionMap?
  public var training: TrainingRecord?
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

/// Which real action does what a latent action does.
public struct ActionMap: Codable, Sendable, Equatable {
  /// For each latent action, the real one.
  public var real: [Int32]
  /// Names of the real actions; may be empty.
  public var names: [String]
  /// Labelled transitions that told.
  public var samples: Int

  public init(real: [Int32], names: [String] = [], samples: Int) {
    self.real = real
    self.names = names
    self.samples = samples
  }

  /// The majority of the real actions that were pressed where each latent action was inferred. A latent action
  /// that no sample shows gets the real action that is commonest of all.
  /// - Parameter pairs: latent and real action of each labelled transition.
  public init(pairs: [(latent: Int32, real: Int32)], latentCount: Int, realCount: Int, names: [String] = []) {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: realCount), count: latentCount)
    for pair in pairs where (0..<Int32(latentCount)).contains(pair.latent) && (0..<Int32(realCount)).contains(pair.real) {
      counts[Int(pair.latent)][Int(pair.real)] += 1
    }
    func commonest(_ row: [Int]) -> Int32 { Int32(row.indices.max { (row[$0], -$0) < (row[$1], -$1) } ?? 0) }
    let overall = (0..<realCount).map { real in counts.reduce(0) { $0 + $1[real] } }
    real = counts.map { $0.allSatisfy { $0 == 0 } ? commonest(overall) : commonest($0) }
    self.names = names
    samples = pairs.count
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
