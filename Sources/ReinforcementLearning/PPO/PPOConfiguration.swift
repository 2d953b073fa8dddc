/// Every setting of ``PPO``, with what it does.
public struct PPOConfiguration: Codable, Sendable, Equatable {
  /// Environment steps of the whole training, over all environments.
  public var totalSteps: Int
  /// Environments stepped together. More of them make a rollout more varied, and inference cheaper a step.
  public var environments: Int
  /// Steps that each environment takes between two updates.
  public var rolloutSteps: Int
  /// How often an update goes over its rollout.
  public var epochs: Int
  /// Parts of a rollout, each a step of the optimizer.
  public var minibatches: Int
  /// Adam's learning rate at the start.
  public var learningRate: Float
  /// Whether the learning rate falls linearly to 0 over the training.
  public var annealsLearningRate: Bool
  /// How much a reward of the next step is worth now (gamma).
  public var discount: Float
  /// How far advantages trust the rewards that came rather than the value that was expected (lambda of
  /// generalised advantage estimation): 1 is all rewards, 0 one step.
  public var advantageDecay: Float
  /// Whether the advantages of a minibatch are brought to mean 0 and deviation 1.
  public var normalizesAdvantages: Bool
  /// How far the probability of an action may move from the rollout's, as a ratio, before it stops paying.
  public var clip: Float
  /// Whether the value may not move further than `clip` from the rollout's in one update.
  public var clipsValueLoss: Bool
  /// Weight of the value's loss beside the policy's.
  public var valueCoefficient: Float
  /// Weight of the policy's entropy, which keeps it trying things.
  public var entropyCoefficient: Float
  /// Gradients are scaled down to this norm.
  public var gradientClip: Float
  /// Whether rewards are divided by the running deviation of the discounted return, so that one learning
  /// rate serves environments whose rewards differ in size. Figures and reports show the rewards as they
  /// are.
  public var scalesRewards: Bool
  /// Of the initial weights, the environments, the actions drawn and the order of minibatches.
  public var seed: UInt64

  public init(
    totalSteps: Int = 200_000, environments: Int = 32, rolloutSteps: Int = 32, epochs: Int = 3,
    minibatches: Int = 8, learningRate: Float = 1.4e-3, annealsLearningRate: Bool = true,
    discount: Float = 0.99, advantageDecay: Float = 0.95, normalizesAdvantages: Bool = true,
    clip: Float = 0.2, clipsValueLoss: Bool = false, valueCoefficient: Float = 0.5,
    entropyCoefficient: Float = 0.003, gradientClip: Float = 0.5, scalesRewards: Bool = true, seed: UInt64 = 1
  ) {
    self.totalSteps = totalSteps
    self.environments = environments
    self.rolloutSteps = rolloutSteps
    self.epochs = epochs
    self.minibatches = minibatches
    self.learningRate = learningRate
    self.annealsLearningRate = annealsLearningRate
    self.discount = discount
    self.advantageDecay = advantageDecay
    self.normalizesAdvantages = normalizesAdvantages
    self.clip = clip
    self.clipsValueLoss = clipsValueLoss
    self.valueCoefficient = valueCoefficient
    self.entropyCoefficient = entropyCoefficient
    self.gradientClip = gradientClip
    self.scalesRewards = scalesRewards
    self.seed = seed
  }

  /// Transitions of one rollout.
  public var rolloutSize: Int { environments * rolloutSteps }

  /// - Throws: ``PPOError/invalidSetting(name:value:)``; settings come from command lines and files.
  func check() throws(PPOError) {
    func check(_ isRight: Bool, _ name: String, _ value: Any) throws(PPOError) {
      guard isRight else { throw .invalidSetting(name: name, value: "\(value)") }
    }
    try check((1...1 << 40).contains(totalSteps), "totalSteps", totalSteps)
    try check((1...1 << 16).contains(environments), "environments", environments)
    try check((1...1 << 16).contains(rolloutSteps), "rolloutSteps", rolloutSteps)
    try check((1...1000).contains(epochs), "epochs", epochs)
    try check((1...rolloutSize).contains(minibatches), "minibatches", minibatches)
    try check(learningRate >= 0 && learningRate.isFinite, "learningRate", learningRate)
    try check((0...1).contains(discount), "discount", discount)
    try check((0...1).contains(advantageDecay), "advantageDecay", advantageDecay)
    try check(clip > 0 && clip.isFinite, "clip", clip)
    try check(valueCoefficient >= 0 && valueCoefficient.isFinite, "valueCoefficient", valueCoefficient)
    try check(entropyCoefficient.isFinite, "entropyCoefficient", entropyCoefficient)
    try check(gradientClip > 0 && gradientClip.isFinite, "gradientClip", gradientClip)
  }
}
