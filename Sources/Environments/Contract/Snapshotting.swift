/// A pool whose environments can be kept and brought back.
public protocol Snapshotting: EnvironmentPool {
  /// The whole state of a slot, as bytes that name what they can be restored into.
  func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8]
  /// Puts a slot into a state that was kept.
  mutating func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError)
  /// Opens a slot in the state of another.
  mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot
}

/// Calls a pool as one whose environments can be kept.
/// - Throws: ``EnvironmentError/unsupported(_:)`` where it is none, and what `body` throws.
package func snapshotting<Result>(
  _ pool: inout any EnvironmentPool,
  _ body: (inout any Snapshotting) throws(EnvironmentError) -> Result
) throws(EnvironmentError) -> Result {
  guard var keeper = pool as? any Snapshotting else {
    throw .unsupported("snapshots of \(pool.specification.name)")
  }
  // While the pool is in two places, writing to one would copy all its slots.
  pool = VacantPool(specification: keeper.specification)
  defer { pool = keeper }
  return try body(&keeper)
}

/// Stands where a pool was taken from.
private struct VacantPool: EnvironmentPool {
  let specification: EnvironmentSpecification

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { throw .fault("vacant") }
  mutating func reset(_ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch)
    throws(EnvironmentError)
  { throw .fault("vacant") }
  mutating func step(_ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch)
    throws(EnvironmentError)
  { throw .fault("vacant") }
  mutating func close(_ slot: Slot) {}
}
