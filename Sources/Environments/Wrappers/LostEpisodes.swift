/// Turns the loss of an episode into its truncation, for learners that would rather go on: where a slot's server died, the
/// step that finds out shows the last frame once more, earns nothing and is truncated.
///
/// Pools tell such a loss as the fault ``EnvironmentError/sessionLost(reason:)``; other faults stay what they are.
public struct LostEpisodes: EnvironmentPool {
  private var base: any EnvironmentPool
  /// What each slot showed last.
  private var observations: [Slot: [UInt8]] = [:]
  /// Episodes that were lost so far.
  public private(set) var count = 0

  public init(_ base: any EnvironmentPool) { self.base = base }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try base.open(options)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    observations[slot] = nil
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    remember(slots, batch)
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() {
      guard case .sessionLost = batch.faults[row], let last = observations[slot] else { continue }
      batch.withObservation(row) { target in _ = target.update(from: last) }
      batch.faults[row] = nil
      batch.rewards[row] = 0
      batch.terminated[row] = false
      batch.truncated[row] = true
      count += 1
    }
    remember(slots, batch)
  }

  private mutating func remember(_ slots: [Slot], _ batch: StepBatch) {
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      observations[slot] = Array(batch.observation(row))
    }
  }
}
