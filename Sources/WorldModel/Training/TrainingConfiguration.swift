import Autograd
import NeuralNetwork

/// How much one stage of training sees.
public struct StageConfiguration: Codable, Sendable, Equatable {
  public var steps: Int
  /// Clips of a step, and frames of a clip.
  public var batch: Int
  public var time: Int
  public var optimizer: OptimizerConfiguration

  public init(steps: Int, batch: Int, time: Int, optimizer: OptimizerConfiguration = .init()) {
    self.steps = steps
    self.batch = batch
    self.time = time
    self.optimizer = optimizer
  }
}

/// How a Genie is trained, one stage after the other: tokenizer, latent actions, the heads for rewards and ends, the odds of
/// actions, dynamics (Genie, section 2.1, has the first two and the last).
public struct TrainingConfiguration: Codable, Sendable, Equatable {
  public var tokenizer: StageConfiguration
  public var latentActions: StageConfiguration
  public var dynamics: StageConfiguration
  public var rewards: StageConfiguration
  /// Of the ``ActionOdds``, where ``MaskingConfiguration/unseenActions`` or ``SamplingConfiguration/leastOdds`` asks for them.
  public var actionOdds: StageConfiguration
  /// Shares of the time, where there is a time, for the tokenizer and the latent actions; a twentieth goes to rewards where
  /// there are labels, a tenth to the odds of actions where these are asked for, the rest to the dynamics.
  public var tokenizerShare: Double
  public var latentActionShare: Double
  /// What rare patches count more when the tokenizer is trained: to the power of so much over the share of their code. 0
  /// lets every patch count the same, and then what is seldom seen is drawn badly.
  public var rarityEmphasis: Float
  /// Share of the tokenizer stage after which codes that nothing uses are put, one after the other, on the patch of the
  /// video that is served worst, and from then on stay; nil lets them follow the batches to nine tenths of it.
  public var codePlacement: Double?
  /// Share of the latent action stage in which vectors are not quantised; then k-means places the codes.
  public var continuousShare: Double
  /// Noise on the vectors in that share.
  public var continuousNoise: Float
  /// What a pixel that the dominant motion does not explain counts more, in the loss of the latent actions.
  public var motionEmphasis: Float
  /// A latent action that a smaller share of transitions uses is given half of the commonest one's.
  public var leastActionShare: Double
  /// Two latent actions are one where neither, in the other's place, changes the error of the decoder by more than this share of what
  /// others do on average: see ``LatentActionModel/alike``. 0 keeps all apart.
  public var leastActionEffect: Double
  public var masking: MaskingConfiguration
  /// Short clips first: their length and number, for this share of the dynamics stage.
  public var shortTime: Int
  public var shortBatch: Int
  public var shortShare: Double
  /// Share of clips of the tokenizer stage that are the last window of an episode. In the dynamics stage ends come as often as they
  /// do in the video: see `EpisodeBounds`.
  public var endShare: Double
  /// Share of clips that are drawn by code, every code of the tokenizer as often as any other: so that what is seldom seen is
  /// learned all the same. In the tokenizer stage from ``codePlacement`` on.
  public var rareShare: Double
  /// Share of clips of the dynamics stage that begin where an episode begins, and are told so (``DynamicsConfiguration/ages``). In
  /// other clips a first frame is one of a hundred, and what follows one is guessed from all frames that look like it.
  public var beginShare: Double
  /// Episodes whose rewards and ends may be looked at.
  public var labelledEpisodes: Int
  /// Share of the video that is held out for validation.
  public var heldOut: Double
  /// Of the operands of matrix products of latent actions and dynamics; parameters, sums, norms and softmax are Float32,
  /// and so is the tokenizer, whose rounding would be seen.
  public var precision: Precision

  public init(
    tokenizer: StageConfiguration = .init(steps: 2500, batch: 4, time: 4),
    latentActions: StageConfiguration = .init(steps: 1500, batch: 32, time: 4),
    dynamics: StageConfiguration = .init(steps: 8000, batch: 4, time: 10),
    rewards: StageConfiguration = .init(
      steps: 4000, batch: 64, time: 2, optimizer: .init(rate: 2e-3, muonRate: nil, weightDecay: 0.05)),
    actionOdds: StageConfiguration = .init(
      steps: 5000, batch: 128, time: 2, optimizer: .init(rate: 2e-3, muonRate: nil, weightDecay: 0.05)),
    tokenizerShare: Double = 0.27, latentActionShare: Double = 0.15,
    rarityEmphasis: Float = 0,
    codePlacement: Double? = nil,
    continuousShare: Double = 0.3, continuousNoise: Float = 0.3, motionEmphasis: Float = 10,
    leastActionShare: Double = 0.02, leastActionEffect: Double = 0.2,
    masking: MaskingConfiguration = .init(), shortTime: Int = 3, shortBatch: Int = 8,
    shortShare: Double = 0.3, endShare: Double = 0, rareShare: Double = 0, beginShare: Double = 0,
    labelledEpisodes: Int = 200, heldOut: Double = 0.05, precision: Precision = .preferred
  ) {
    self.tokenizer = tokenizer
    self.latentActions = latentActions
    self.dynamics = dynamics
    self.rewards = rewards
    self.actionOdds = actionOdds
    self.tokenizerShare = tokenizerShare
    self.latentActionShare = latentActionShare
    self.rarityEmphasis = rarityEmphasis
    self.codePlacement = codePlacement
    self.continuousShare = continuousShare
    self.continuousNoise = continuousNoise
    self.motionEmphasis = motionEmphasis
    self.leastActionShare = leastActionShare
    self.leastActionEffect = leastActionEffect
    self.masking = masking
    self.shortTime = shortTime
    self.shortBatch = shortBatch
    self.shortShare = shortShare
    self.endShare = endShare
    self.rareShare = rareShare
    self.beginShare = beginShare
    self.labelledEpisodes = labelledEpisodes
    self.heldOut = heldOut
    self.precision = precision
  }
}

extension TrainingConfiguration {
  /// The same with clips no shorter than what each model looks back over, and so many fewer of them: what is further back than any
  /// clip shows would be new to it when it is used.
  public func fitting(_ model: GenieConfiguration) -> TrainingConfiguration {
    var fitted = self
    let windows: [(stage: WritableKeyPath<Self, StageConfiguration>, frames: Int)] = [
      (\.tokenizer, model.tokenizer.window), (\.latentActions, model.latentActions.window),
      (\.dynamics, model.dynamics.window),
    ]
    for window in windows where self[keyPath: window.stage].time < window.frames {
      let stage = self[keyPath: window.stage]
      fitted[keyPath: window.stage].time = window.frames
      fitted[keyPath: window.stage].batch = max(1, stage.batch * stage.time / window.frames)
    }
    return fitted
  }

  /// What a file does not say has its default; so files that are older than a setting can be read.
  public init(from decoder: any Decoder) throws {
    self.init()
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ path: WritableKeyPath<Self, Value>) throws {
      if let value = try fields.decodeIfPresent(Value.self, forKey: key) { self[keyPath: path] = value }
    }
    try read(.tokenizer, \.tokenizer)
    try read(.latentActions, \.latentActions)
    try read(.dynamics, \.dynamics)
    try read(.rewards, \.rewards)
    try read(.actionOdds, \.actionOdds)
    try read(.tokenizerShare, \.tokenizerShare)
    try read(.latentActionShare, \.latentActionShare)
    try read(.rarityEmphasis, \.rarityEmphasis)
    try read(.continuousShare, \.continuousShare)
    try read(.continuousNoise, \.continuousNoise)
    try read(.motionEmphasis, \.motionEmphasis)
    try read(.leastActionShare, \.leastActionShare)
    try read(.leastActionEffect, \.leastActionEffect)
    try read(.masking, \.masking)
    try read(.shortTime, \.shortTime)
    try read(.shortBatch, \.shortBatch)
    try read(.shortShare, \.shortShare)
    try read(.endShare, \.endShare)
    try read(.rareShare, \.rareShare)
    try read(.beginShare, \.beginShare)
    try read(.labelledEpisodes, \.labelledEpisodes)
    try read(.heldOut, \.heldOut)
    codePlacement = try fields.decodeIfPresent(Double.self, forKey: .codePlacement)
    // Before this was a setting, it was so.
    precision = try fields.decodeIfPresent(Precision.self, forKey: .precision) ?? .float32
  }
}
