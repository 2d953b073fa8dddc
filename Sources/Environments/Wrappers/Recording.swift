/// An episode as it was played: `T` steps and `T + 1` frames.
public struct RecordedEpisode: Sendable, Hashable {
  public let slot: Slot
  /// As the reset named them; nil where the environment chose.
  public let seed: UInt64?
  public let level: Int?
  public let observationSpace: Box
  /// `[T + 1, height, width, channels]`, the first from the reset.
  public fileprivate(set) var frames: [UInt8]
  /// `[T]`: what led from frame `t` to frame `t + 1`.
  public fileprivate(set) var actions: [Int32] = []
  /// `[T]`
  public fileprivate(set) var rewards: [Float] = []
  /// `[T]` each, by name: the auxiliaries that the slot asked for.
  public fileprivate(set) var auxiliaries: [String: [Float]]
  public fileprivate(set) var terminated = false
  /// Neither this nor `terminated`: the slot was reset or closed in the middle.
  public fileprivate(set) var truncated = false

  public var frameCount: Int { actions.count + 1 }
}

/// Keeps what happens in every slot and hands each episode over when it is finished, or broken off by a reset
/// or a close. What becomes of it is the closure's business.
///
/// A slot that is restored, or forked from another, is recorded again from its next reset on: what led to its state was
/// not seen here.
public struct Recording: Wrapper {
  public var base: any EnvironmentPool
  private let onEpisode: (RecordedEpisode) -> Void
  private var asked: [Slot: [String]] = [:]
  private var episodes: [Slot: RecordedEpisode] = [:]

  public init(_ base: any EnvironmentPool, onEpisode: @escaping (RecordedEpisode) -> Void) {
    self.base = base
    self.onEpisode = onEpisode
  }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    let slot = try base.open(options)
    asked[slot] = options.auxiliaries
    return slot
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    asked[slot] = nil
    handOver(slot)
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      handOver(slot)
      episodes[slot] = RecordedEpisode(
        slot: slot, seed: options[row].seed, level: options[row].level,
        observationSpace: batch.observationSpace,
        frames: Array(batch.observation(row)),
        auxiliaries: Dictionary(uniqueKeysWithValues: Set(asked[slot] ?? []).map { ($0, []) }))
    }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      episodes[slot]?.append(actions[row], batch, row: row)
      if batch.terminated[row] || batch.truncated[row] { handOver(slot) }
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}

  public mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) { handOver(slot) }

  public mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot {
    let fork = try snapshotting(&base) { keeper throws(EnvironmentError) in try keeper.fork(slot) }
    asked[fork] = asked[slot]
    return fork
  }

  private mutating func handOver(_ slot: Slot) {
    if let episode = episodes.removeValue(forKey: slot) { onEpisode(episode) }
  }
}

extension RecordedEpisode {
  fileprivate mutating func append(_ action: Int32, _ batch: StepBatch, row: Int) {
    frames += batch.observation(row)
    actions.append(action)
    rewards.append(batch.rewards[row])
    terminated = batch.terminated[row]
    truncated = batch.truncated[row]
    for name in auxiliaries.keys { auxiliaries[name]!.append(batch.auxiliaries[name]?[row] ?? .nan) }
  }
}
