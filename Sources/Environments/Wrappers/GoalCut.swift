/// Cuts an episode at its goal, unpaid: what would follow is left to the value of what is seen there.
///
/// A dream may not know where in a level it begins, so that the goal may stand anywhere, and a policy that practises there is paid for
/// luck. What is earned on the way it can learn all the same.
public struct GoalCut: Wrapper {
  public var base: any EnvironmentPool
  private let goal: Float

  /// - Parameter goal: the episode is at its goal where it ends with this reward or more.
  public init(_ base: any EnvironmentPool, reward goal: Float) {
    self.base = base
    self.goal = goal
  }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    for row in slots.indices
    where batch.faults[row] == nil && batch.terminated[row] && batch.rewards[row] >= goal {
      batch.rewards[row] -= goal
      batch.terminated[row] = false
      batch.truncated[row] = true
    }
  }

  // To the base the episode is over, too.
  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  public func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}
}
