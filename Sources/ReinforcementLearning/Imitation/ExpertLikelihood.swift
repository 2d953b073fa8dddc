import Autograd
import Environments
import Foundation

/// Rewards what an expert's video makes likely: in place of the pool's own rewards, log p(action | what is seen) under a
/// policy that was cloned from the video's latent actions, plus log of the number of actions, so that guessing earns 0.
///
/// The likelihood of a video is that of its actions times that of what they lead to. The second is the same for an expert
/// and for anybody else in the same world; the first is all that an agent can make more likely.
public struct ExpertLikelihood: EnvironmentPool {
  private var base: any EnvironmentPool
  private let inference: BatchInference
  private let actions: Int
  /// What each slot shows.
  private var seen: [Slot: [UInt8]] = [:]
  /// No single act costs more than this, in nats.
  private static let floor: Float = -5

  /// - Parameter base: shows what the expert sees: one that sees several frames takes a `FrameStack` of as many.
  /// - Throws: ``PolicyError`` where the expert does not fit the pool.
  public init(_ base: any EnvironmentPool, expert: ActorCritic, workers: Workers) throws(PolicyError) {
    let (sees, shown) = (expert.configuration.observationSpace, base.specification.observationSpace)
    guard sees == shown else { throw .observationMismatch(policy: sees, environment: shown) }
    try base.specification.actionSpace.check(policy: expert.configuration.actions.count)
    self.base = base
    actions = expert.configuration.actions.count
    inference = BatchInference(expert, workers: workers)
  }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try base.open(options)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    seen[slot] = nil
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      seen[slot] = Array(batch.observation(row))
    }
  }

  public mutating func step(
    _ slots: [Slot], _ codes: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, codes, into: &batch)
    let rows = slots.indices.filter { batch.faults[$0] == nil && seen[slots[$0]] != nil }
    let (logits, _) = inference(rows.flatMap { seen[slots[$0]]! }, count: rows.count)
    for (index, row) in rows.enumerated() {
      let own = logits[index * actions..<(index + 1) * actions]
      let largest = own.max() ?? 0
      let total = own.reduce(Float(0)) { $0 + exp($1 - largest) }
      let likelihood = own[own.startIndex + Int(codes[row])] - largest - log(total)
      batch.rewards[row] = max(Self.floor, likelihood + log(Float(actions)))
      seen[slots[row]] = Array(batch.observation(row))
    }
  }
}
