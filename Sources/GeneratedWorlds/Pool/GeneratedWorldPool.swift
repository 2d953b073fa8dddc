import Autograd
import Environments
import NeuralNetwork
import WorldModel

/// Worlds dreamt by a trained Genie, as an environment with its latent actions.
///
/// A reset starts a world from one of its levels (frames that were never trained on) or from the caller's pictures; a
/// step dreams the next frame. A world has no end of its own but what the reward model says, and the horizon.
/// The worlds of a call are spread over the workers; each is the same bit for bit whatever is dreamt beside it.
///
/// ```swift
/// var pool = GeneratedWorldPool(try World.bundled())
/// let slot = try pool.open(OpenOptions())
/// var batch = pool.makeBatch()
/// try pool.reset([slot], [ResetOptions(seed: 1)], into: &batch)
/// try pool.step([slot], [3], into: &batch)
/// ```
public struct GeneratedWorldPool: EnvironmentPool {
  public let specification: EnvironmentSpecification
  public let world: World
  private let rewards: (any RewardModel)?
  private let workers: Workers
  /// One a worker, and one that has all workers.
  private let dreamers: [Dreamer]
  private let leader: Dreamer
  let sampling: SamplingConfiguration
  private let levelSampling: SamplingConfiguration?
  private(set) var dreams: SlotTable<Dream>
  /// States of closed slots: their caches are used again.
  private var spare: [WorldState] = []
  /// What snapshots of this pool name.
  let header: DreamSnapshotHeader

  /// - Parameters:
  ///   - prepared: the world's models, where they are prepared already; nil prepares them.
  ///   - workers: threads to dream on; nil takes one for each processor.
  ///   - sampling: nil takes the world's own.
  ///   - rewards: nil takes the world's own, where it has one.
  ///   - levelSampling: how a first frame is dreamt from nothing where a reset names neither level nor picture: another
  ///     level for each seed. nil chooses one of the world's levels instead. It takes a world that was trained for it
  ///     (``World/dreamsLevels``).
  public init(
    _ world: World, prepared: PreparedGenie? = nil, workers: Workers? = nil,
    sampling: SamplingConfiguration? = nil,
    rewards: (any RewardModel)? = nil,
    levelSampling: SamplingConfiguration? = nil, slotLimit: Int = 1024
  ) {
    self.world = world
    self.rewards = rewards ?? world.rewards
    self.sampling = sampling ?? world.manifest.sampling
    self.levelSampling = levelSampling
    header = Self.header(of: world, self.sampling)
    let workers = workers ?? Workers()
    self.workers = workers
    let prepared = prepared ?? PreparedGenie(world)
    dreamers = (0..<workers.count).map { _ in Dreamer(prepared) }
    leader = Dreamer(prepared, team: TeamSampler(prepared, workers: workers))
    dreams = SlotTable(limit: slotLimit)
    let t = world.genie.configuration.tokenizer
    specification = EnvironmentSpecification(
      name: world.manifest.name, observationSpace: Box(height: t.height, width: t.width),
      actionSpace: Discrete(world.actions, names: world.manifest.actionNames),
      horizon: world.manifest.horizon,
      frameRate: world.manifest.frameRate, levels: world.levels.clips,
      promptLimit: world.genie.configuration.dynamics.window, auxiliaries: ["logLikelihood", "entropy"],
      slotLimit: slotLimit)
  }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try specification.check(options)
    let dream = Dream(
      state: takeState(), horizon: options.horizon ?? world.manifest.horizon,
      auxiliaries: options.auxiliaries, sampling: sampling)
    return try add(dream)
  }

  mutating func takeState() -> WorldState {
    spare.popLast() ?? WorldState(world.genie, precision: world.precision)
  }

  mutating func add(_ dream: Dream) throws(EnvironmentError) -> Slot { try dreams.open(dream) }

  /// What is in an open slot.
  /// - Throws: ``Environments/EnvironmentError/unknownSlot(_:)``
  func dream(_ slot: Slot) throws(EnvironmentError) -> Dream {
    try dreams.check(slot)
    return dreams[slot]
  }

  public mutating func close(_ slot: Slot) {
    if let dream = dreams.close(slot) { spare.append(dream.state) }
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try dreams.check(slots, count: options.count, of: "reset options")
    run(slots, together: false, into: &batch) {
      [world, specification, levelSampling] row, dream, dreamer, frame in
      var outcome = DreamOutcome()
      do throws(EnvironmentError) {
        try Self.begin(
          dream, options[row], world: world, specification, levelSampling, dreamer: dreamer, into: frame)
      } catch { outcome.fault = error }
      return outcome
    }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try dreams.check(slots, count: actions.count, of: "actions")
    run(slots, together: slots.count < workers.count, into: &batch) {
      [rewards, specification] row, dream, dreamer, frame in
      Self.advance(dream, actions[row], rewards: rewards, specification, dreamer: dreamer, into: frame)
    }
  }

  /// Spreads the rows over the workers, or gives them to all workers one after the other, and writes what they
  /// gave.
  private func run(
    _ slots: [Slot], together: Bool, into batch: inout StepBatch,
    _ body: @escaping @Sendable (Int, Dream, Dreamer, UnsafeMutablePointer<UInt8>) -> DreamOutcome
  ) {
    batch.prepare(count: slots.count, for: observationSpace)
    let chosen = slots.map { dreams[$0] }
    let outcomes = Slots<DreamOutcome>(count: slots.count)
    let size = observationSpace.byteCount
    batch.observations.withUnsafeMutableBufferPointer { pixels in
      guard let start = pixels.baseAddress else { return }
      nonisolated(unsafe) let frames = start
      if together {
        for row in chosen.indices { outcomes[row] = body(row, chosen[row], leader, frames + row * size) }
        return
      }
      workers.run { [dreamers, count = workers.count] worker in
        for row in stride(from: worker, to: chosen.count, by: count) {
          outcomes[row] = body(row, chosen[row], dreamers[worker], frames + row * size)
        }
      }
    }
    for (row, outcome) in outcomes.all.enumerated() {
      batch.rewards[row] = outcome.reward
      batch.terminated[row] = outcome.terminated
      batch.truncated[row] = outcome.truncated
      batch.faults[row] = outcome.fault
      for (name, value) in outcome.auxiliaries { batch.setAuxiliary(name, row: row, value) }
    }
  }

  private static func begin(
    _ dream: Dream, _ options: ResetOptions, world: World, _ specification: EnvironmentSpecification,
    _ levelSampling: SamplingConfiguration?, dreamer: Dreamer, into frame: UnsafeMutablePointer<UInt8>
  ) throws(EnvironmentError) {
    let isDreamt = levelSampling != nil && options.prompt == nil && options.level == nil
    let start = isDreamt ? nil : try start(options, dream: dream, world: world, specification)
    var upcoming = dream.seeds
    dream.episodeSeed = upcoming.take(options.seed)
    dream.seeds = upcoming
    dream.state.clear(knowsAge: dream.sampling.tellsAge && start?.begins ?? true)
    for token in dream.confidence.indices { dream.confidence[token] = 1 }
    dream.memory = EpisodeMemory()
    dream.steps = 0
    dream.phase = .playing
    guard let prompt = start?.frames else {
      _ = dreamer.sampler.next(
        action: Dynamics.noAction, state: &dream.state, configuration: levelSampling!,
        key: dream.key.folded(in: "level"), into: frame)
      return
    }
    dreamer.tape.reset()
    let codes = world.genie.tokenizer.encode(prompt, arena: dreamer.tape.arena)
    let inferred = prompt.time > 1 ? world.genie.latentActions.infer(prompt, arena: dreamer.tape.arena) : []
    dreamer.sampler.commit(
      codes, actions: [Dynamics.noAction] + inferred, to: &dream.state, into: frame)
  }

  /// The level or the pictures that an episode starts from, and whether they may be its first.
  private static func start(
    _ options: ResetOptions, dream: Dream, world: World, _ specification: EnvironmentSpecification
  ) throws(EnvironmentError) -> (frames: FrameBatch, begins: Bool) {
    let box = specification.observationSpace
    if let prompt = options.prompt {
      guard prompt.height == box.height, prompt.width == box.width else {
        throw .invalidPrompt(
          reason: "\(prompt.height) x \(prompt.width), this world is \(box.height) x \(box.width)")
      }
      guard (1...specification.promptLimit).contains(prompt.frames) else {
        throw .invalidPrompt(
          reason: "\(prompt.frames) frames, this world takes 1 to \(specification.promptLimit)")
      }
      let frames = FrameBatch(
        clips: 1, time: prompt.frames, height: box.height, width: box.width, bytes: prompt.pixels)
      return (frames, true)
    }
    let count = world.levels.clips
    let level: Int
    if let asked = options.level {
      guard (0..<count).contains(asked) else { throw .unknownLevel(asked, count: count) }
      level = asked
    } else {
      guard count > 0 else { throw .invalidPrompt(reason: "this world has no levels: give it a picture") }
      var upcoming = dream.seeds
      level = RandomKey(seed: upcoming.take(options.seed)).folded(in: "level").integer(0, below: count)
    }
    return (world.levels.clips(level..<level + 1), world.begins[level])
  }

  private static func advance(
    _ dream: Dream, _ action: Int32, rewards: (any RewardModel)?, _ specification: EnvironmentSpecification,
    dreamer: Dreamer, into frame: UnsafeMutablePointer<UInt8>
  ) -> DreamOutcome {
    var outcome = DreamOutcome()
    guard dream.phase == .playing else {
      outcome.fault = .needsReset
      return outcome
    }
    guard specification.actionSpace.contains(action) else {
      outcome.fault = .invalidAction(action, count: specification.actionSpace.count)
      return outcome
    }
    let previous = dream.state.tokens
    let sampled = dreamer.next(dream, action: action, into: frame)
    dream.steps += 1
    if let rewards {
      dreamer.tape.reset()
      let judgement = rewards.judge(
        previous: previous, action: action, tokens: dream.state.tokens, memory: &dream.memory,
        tape: dreamer.tape)
      outcome.reward = judgement.reward
      outcome.terminated = judgement.ended
    }
    outcome.truncated = !outcome.terminated && dream.steps >= dream.horizon
    if outcome.terminated || outcome.truncated { dream.phase = .ended }
    for name in dream.auxiliaries {
      outcome.auxiliaries.append((name, name == "entropy" ? sampled.entropy : sampled.logLikelihood))
    }
    return outcome
  }
}
