import Autograd
import Environments
import Foundation
import NeuralNetwork

/// Proximal policy optimisation (Schulman et al. 2017), on any environments.
///
/// It does not know whether they are a game, a dream or far away. An iteration is a rollout of all
/// environments and an update over it:
///
/// ```swift
/// let ppo = try PPO(GamePool(Platformer()), PPOConfiguration(totalSteps: 200_000))
/// while !ppo.isFinished { print(try ppo.iterate().recentReturn) }
/// try ppo.policy.write(to: url)
/// ```
public final class PPO {
  public let configuration: PPOConfiguration
  public let network: ActorCritic
  /// Of the environments, as they are without stacked frames.
  public let environment: EnvironmentSpecification
  /// Environment steps so far, over all environments.
  public internal(set) var steps = 0
  /// Iterations so far.
  public internal(set) var iterations = 0

  let optimizer: Optimizer
  var rewardScale: RewardScale
  private var environments: VectorEnvironment
  private var batch: StepBatch
  private var hasBegun = false
  private var recentReturns: [Double] = []
  private let rollout: Rollout
  private let inference: BatchInference
  private let parallel: DataParallel
  private let key: RandomKey

  /// Rows of a minibatch that go through the network together: few enough to stay in the processor's cache.
  private static let rowsPerPart = 32

  /// - Parameters:
  ///   - pool: any provider of environments; `configuration.environments` slots of it are opened.
  ///   - network: nil takes the standard network for the pool's frames and actions.
  ///   - horizon: steps after which an episode is cut; nil leaves the pool's own.
  /// - Throws: ``PPOError``
  public init(
    _ pool: any EnvironmentPool, _ configuration: PPOConfiguration = PPOConfiguration(),
    network: ActorCriticConfiguration? = nil, horizon: Int? = nil, workers: Workers = Workers()
  ) throws(PPOError) {
    try configuration.check()
    self.configuration = configuration
    environment = pool.specification
    let wanted =
      network ?? ActorCriticConfiguration(frame: pool.observationSpace, actions: pool.actionSpace)
    do {
      self.network = try ActorCritic(wanted, seed: configuration.seed)
    } catch { throw .policy(error) }
    guard wanted.frame == pool.observationSpace else {
      throw .policy(.observationMismatch(policy: wanted.frame, environment: pool.observationSpace))
    }
    guard wanted.actions.count == pool.actionSpace.count else {
      throw .policy(.actionMismatch(policy: wanted.actions.count, environment: pool.actionSpace.count))
    }
    let stacked: any EnvironmentPool =
      wanted.frames == 1 ? pool : FrameStack(pool, frames: wanted.frames)
    do {
      environments = try VectorEnvironment(
        EpisodeStatistics(stacked), count: configuration.environments, autoreset: .sameStep,
        options: OpenOptions(horizon: horizon))
    } catch { throw .environment(error) }
    batch = environments.makeBatch()
    rollout = Rollout(
      steps: configuration.rolloutSteps, environments: configuration.environments,
      space: wanted.observationSpace)
    rewardScale = RewardScale(environments: configuration.environments)
    inference = BatchInference(self.network, workers: workers)
    parallel = DataParallel(self.network.parameters, workers: workers)
    optimizer = Optimizer(
      self.network.parameters,
      OptimizerConfiguration(
        rate: configuration.learningRate, muonRate: nil, weightDecay: 0, beta1: 0.9, beta2: 0.999,
        clip: configuration.gradientClip, warmup: 1, floor: 0))
    key = RandomKey(seed: configuration.seed).folded(in: "ppo")
  }

  deinit { environments.close() }

  public var isFinished: Bool { steps >= configuration.totalSteps }

  /// The policy as it is now, with where it comes from.
  public var policy: PolicyFile {
    PolicyFile(network, environment: environment.name, steps: steps, seed: configuration.seed)
  }

  /// Collects a rollout and learns from it.
  /// - Throws: ``PPOError/environment(_:)`` where an environment fails, ``PPOError/diverged(step:)``.
  public func iterate() throws(PPOError) -> PPOFigures {
    let start = ContinuousClock.now
    var figures = PPOFigures()
    // Draws belong to the iteration, so that a resumed training draws on as if it had not been interrupted.
    let own = key.folded(in: UInt64(iterations))
    do {
      try collect(own.folded(in: "actions"), &figures)
    } catch { throw .environment(error) }
    rollout.estimateAdvantages(discount: configuration.discount, decay: configuration.advantageDecay)
    try update(own.folded(in: "minibatches"), &figures)
    iterations += 1
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    figures.step = steps
    figures.stepsPerSecond = Double(rollout.count) / seconds
    figures.environmentShare /= seconds
    return figures
  }

  // MARK: Rollout

  private func collect(_ key: RandomKey, _ figures: inout PPOFigures) throws(EnvironmentError) {
    let count = configuration.environments
    if !hasBegun {
      try environments.reset(seed: key.bits(0), into: &batch)
      try checkFaults()
      hasBegun = true
    }
    var returns: [Double] = []
    var lengths: [Double] = []
    var valuesOfCuts: [Int: Float] = [:]
    for step in 0..<rollout.steps {
      let rows = step * count..<(step + 1) * count
      rollout.setObservations(batch.observations, step: step)
      let (logits, values) = inference(batch.observations, count: count)
      let draw = key.folded(in: UInt64(step))
      let sample = ActionSample(
        logits: logits, actions: network.configuration.actions.count,
        uniforms: (0..<count).map { draw.uniform(UInt64($0)) })

      let start = ContinuousClock.now
      try environments.step(sample.actions, into: &batch)
      figures.environmentShare += (ContinuousClock.now - start) / .seconds(1)
      try checkFaults()
      steps += count

      let ended = zip(batch.terminated, batch.truncated).map { $0 || $1 }
      rewardScale.observe(batch.rewards, ended: ended, discount: configuration.discount)
      let factor = configuration.scalesRewards ? rewardScale.factor : 1
      rollout.actions.replaceSubrange(rows, with: sample.actions)
      rollout.logLikelihoods.replaceSubrange(rows, with: sample.logLikelihoods)
      rollout.values.replaceSubrange(rows, with: values)
      rollout.rewards.replaceSubrange(rows, with: batch.rewards.map { $0 * factor })
      rollout.terminated.replaceSubrange(rows, with: batch.terminated)
      rollout.ended.replaceSubrange(rows, with: ended)
      let cut = (0..<count).filter { batch.truncated[$0] && !batch.terminated[$0] }
      if !cut.isEmpty {
        let (_, values) = inference(cut.flatMap { batch.finalObservations[$0]! }, count: cut.count)
        for (row, value) in zip(cut, values) { valuesOfCuts[step * count + row] = value }
      }
      for row in 0..<count where ended[row] {
        returns.append(Double(batch.auxiliaries["episodeReturn"]![row]))
        lengths.append(Double(batch.auxiliaries["episodeLength"]![row]))
      }
    }
    let (_, values) = inference(batch.observations, count: count)
    rollout.setNextValues(afterLast: values, ofCuts: valuesOfCuts)

    recentReturns = (recentReturns + returns).suffix(100)
    figures.episodes = returns.count
    figures.episodicReturn = mean(returns)
    figures.episodicLength = mean(lengths)
    figures.recentReturn = mean(recentReturns)
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  /// A rollout with a fault in it would teach nonsense: the caller may resume from the last checkpoint.
  private func checkFaults() throws(EnvironmentError) {
    for fault in batch.faults {
      if let fault { throw fault }
    }
  }

  // MARK: Update

  private func update(_ key: RandomKey, _ figures: inout PPOFigures) throws(PPOError) {
    let size = rollout.count / configuration.minibatches
    var sums = PPOLoss.PolicySums()
    var valueSum = 0.0
    var updates = 0
    for epoch in 0..<configuration.epochs {
      let order = key.folded(in: UInt64(epoch)).permutation(rollout.count)
      for minibatch in 0..<configuration.minibatches {
        let rows = Array(order[minibatch * size..<(minibatch + 1) * size])
        let (gradients, reports) = gradients(rows)
        let norm = optimizer.update(gradients, progress: annealing)
        guard norm.isFinite else { throw .diverged(step: steps) }
        figures.gradientNorm += Double(norm)
        for (policy, value) in reports {
          sums.loss += policy.loss
          sums.entropy += policy.entropy
          sums.divergence += policy.divergence
          sums.clipped += policy.clipped
          valueSum += value
        }
        updates += 1
      }
    }
    let count = Double(updates * size)
    figures.learningRate = Double(
      configuration.learningRate * optimizer.configuration.schedule(step: optimizer.step, progress: annealing)
    )
    figures.policyLoss = sums.loss / count
    figures.valueLoss = valueSum / count
    figures.entropy = sums.entropy / count
    figures.approximateDivergence = sums.divergence / count
    figures.clippedShare = Double(sums.clipped) / count
    figures.explainedVariance = rollout.explainedVariance
    figures.gradientNorm /= Double(updates)
  }

  /// Gradients of the loss over some transitions, and each part's sums for the figures.
  private func gradients(_ rows: [Int]) -> (Gradients, [(policy: PPOLoss.PolicySums, value: Double)]) {
    let advantages = normalized(rows.map { rollout.advantages[$0] })
    let parts = (rows.count + Self.rowsPerPart - 1) / Self.rowsPerPart
    let loss = PPOLoss(
      clip: configuration.clip, entropyCoefficient: configuration.entropyCoefficient,
      clipsValues: configuration.clipsValueLoss)
    let valueCoefficient = configuration.valueCoefficient
    let (gradients, reports) = parallel.gradients(parts: parts) { [network, rollout] part, _, tape in
      let range = part * Self.rowsPerPart..<min(rows.count, (part + 1) * Self.rowsPerPart)
      let own = Array(rows[range])
      let observations = rollout.withObservations(own) { network.observations(tape, rows: $0) }
      let (logits, values) = network(tape, observations)
      let scale = 1 / Float(rows.count)
      let policy = loss.policy(
        tape, logits: logits, actions: own.map { rollout.actions[$0] },
        oldLogLikelihoods: own.map { rollout.logLikelihoods[$0] }, advantages: Array(advantages[range]),
        scale: scale)
      let value = loss.value(
        tape, values: values, oldValues: own.map { rollout.values[$0] },
        returns: own.map { rollout.returns[$0] }, scale: scale)
      let total = tape.add(policy.loss, value.loss, scale: valueCoefficient)
      return (total, (policy: policy.sums, value: value.sum))
    }
    return (gradients, reports)
  }

  private func normalized(_ advantages: [Float]) -> [Float] {
    guard configuration.normalizesAdvantages, advantages.count > 1 else { return advantages }
    let mean = advantages.reduce(0, +) / Float(advantages.count)
    let squares = advantages.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Float(advantages.count - 1)).squareRoot()
    return advantages.map { ($0 - mean) / (deviation + 1e-8) }
  }

  /// The optimizer anneals its rate along a cosine: the progress at which that cosine stands where a
  /// straight line would.
  private var annealing: Double {
    guard configuration.annealsLearningRate else { return 0 }
    let remaining = 1 - min(1, Double(steps - rollout.count) / Double(configuration.totalSteps))
    return acos(2 * remaining - 1) / .pi
  }
}
