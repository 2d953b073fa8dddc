/// Gives a pool another one's actions: each stands for one of its own.
///
/// A dream has latent actions, of which several may do the same and none has a name. Behind the inverse of the world's
/// ``ActionMap`` it has the buttons of the game, so that a policy learns in the dream what it will press there.
public struct MappedActions: Wrapper {
  public var base: any EnvironmentPool
  private let map: ActionMap

  /// - Parameter map: for each action of this pool, the one of `base`; its names become the actions'.
  /// - Throws: ``EnvironmentError/invalidOption(name:reason:)`` for a map that is empty or leads out of `base`.
  public init(_ base: any EnvironmentPool, map: ActionMap) throws(EnvironmentError) {
    guard !map.real.isEmpty else { throw .invalidOption(name: "map", reason: "it has no action") }
    if let foreign = map.real.first(where: { !base.actionSpace.contains($0) }) {
      throw .invalidOption(
        name: "map", reason: "it leads to action \(foreign) of \(base.actionSpace.count)")
    }
    self.base = base
    self.map = map
  }

  public var specification: EnvironmentSpecification {
    var specification = base.specification
    let count = map.real.count
    specification.actionSpace = Discrete(count, names: map.names.count == count ? map.names : [])
    return specification
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    let space = actionSpace
    // What is no action here is none there, and is answered in the words of this pool.
    try base.step(slots, actions.map { space.contains($0) ? map($0) : -1 }, into: &batch)
    for (row, action) in actions.enumerated() {
      if case .invalidAction = batch.faults[row] {
        batch.faults[row] = .invalidAction(action, count: space.count)
      }
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  public func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}
}
