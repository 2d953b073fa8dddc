/// Keeps an agent from living on what a dream is not sure of: a step whose frame was unlikely costs something, or ends
/// the episode.
///
/// A world says how likely a frame was by its auxiliary `logLikelihood`. A policy that is trained in a dream looks for
/// what pays there, faults included, and faults are seldom likely.
public struct DoubtLimit: Wrapper {
  /// What becomes of a doubtful step.
  public enum Consequence: Sendable, Equatable {
    /// Its reward is less by so much.
    case penalty(Float)
    /// The episode is truncated: what would follow is left to the value of the last frame.
    case truncation
    /// The episode ends, and nothing more is earned.
    case termination
  }

  public static let auxiliary = "logLikelihood"

  public var base: any EnvironmentPool
  private let limit: Float
  private let consequence: Consequence
  private var ended = EarlyEnds()

  /// - Parameters:
  ///   - base: a pool that offers ``auxiliary``.
  ///   - limit: a step is doubtful where the log-likelihood, in nats, is below this.
  /// - Throws: ``EnvironmentError/unknownAuxiliary(_:offered:)``
  public init(
    _ base: any EnvironmentPool, limit: Float, consequence: Consequence
  ) throws(EnvironmentError) {
    guard base.specification.auxiliaries.contains(Self.auxiliary) else {
      throw .unknownAuxiliary(Self.auxiliary, offered: base.specification.auxiliaries)
    }
    self.base = base
    self.limit = limit
    self.consequence = consequence
  }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    var options = options
    if !options.auxiliaries.contains(Self.auxiliary) { options.auxiliaries.append(Self.auxiliary) }
    return try base.open(options)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    ended.remove(slot)
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil { ended.remove(slot) }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try ended.step(&base, slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      guard let likelihood = batch.auxiliaries[Self.auxiliary]?[row], likelihood < limit else { continue }
      switch consequence {
      case .penalty(let cost): batch.rewards[row] -= cost
      case .truncation: if !batch.terminated[row] { batch.truncated[row] = true }
      case .termination:
        batch.terminated[row] = true
        batch.truncated[row] = false
      }
      if batch.terminated[row] || batch.truncated[row] { ended.insert(slot) }
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) { ended.write(slot, to: &snapshot) }

  public mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    try ended.read(slot, from: &snapshot)
  }
}
