/// Episodes that a wrapper has ended, and that are going on in the pool below it: until they are reset, their slots are not stepped
/// there any more.
struct EarlyEnds {
  private var ended: Set<Slot> = []

  mutating func insert(_ slot: Slot) { ended.insert(slot) }
  mutating func remove(_ slot: Slot) { ended.remove(slot) }

  /// Steps the slots whose episodes are going on; the others answer ``EnvironmentError/needsReset``.
  func step(
    _ base: inout any EnvironmentPool, _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    let over = Set(slots.indices.filter { ended.contains(slots[$0]) })
    // What is wrong with the call as a whole, the pool below says.
    guard !over.isEmpty, actions.count == slots.count, Set(slots).count == slots.count else {
      try base.step(slots, actions, into: &batch)
      return
    }
    let rows = slots.indices.filter { !over.contains($0) }
    var rest = base.makeBatch()
    if !rows.isEmpty { try base.step(rows.map { slots[$0] }, rows.map { actions[$0] }, into: &rest) }
    batch.prepare(count: slots.count)
    for (source, row) in rows.enumerated() { batch.setRow(row, from: rest, row: source) }
    for row in over { batch.faults[row] = .needsReset }
  }

  func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {
    snapshot.write(UInt8(ended.contains(slot) ? 1 : 0))
  }

  mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    if try snapshot.read(UInt8.self) == 0 { ended.remove(slot) } else { ended.insert(slot) }
  }
}
