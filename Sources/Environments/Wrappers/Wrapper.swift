/// A pool around another one. It keeps what the other keeps, with a state of its own beside it; where the other cannot
/// be kept, it answers ``EnvironmentError/unsupported(_:)``.
public protocol Wrapper: Snapshotting {
  var base: any EnvironmentPool { get set }

  /// What the wrapper itself knows of a slot, besides its environment.
  func write(_ slot: Slot, to snapshot: inout SnapshotWriter)
  /// Reads that back; called once the environment is in its new state. Nothing is changed where it throws.
  mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError)
}

/// What a wrapper does not change, it hands on.
extension Wrapper {
  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try base.open(options)
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
  }

  public func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8] {
    guard let keeper = base as? any Snapshotting else {
      throw .unsupported("snapshots of \(specification.name)")
    }
    var writer = SnapshotWriter()
    writer.write(try keeper.snapshot(slot))
    write(slot, to: &writer)
    return writer.bytes
  }

  public mutating func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError) {
    var reader = SnapshotReader(snapshot)
    let inner = try reader.readBytes()
    let before = try self.snapshot(slot)
    try snapshotting(&base) { keeper throws(EnvironmentError) in try keeper.restore(slot, from: inner) }
    do throws(EnvironmentError) {
      try read(slot, from: &reader)
      guard reader.isAtEnd else { throw .invalidSnapshot("it is too long") }
    } catch {
      try restore(slot, from: before)
      throw error
    }
  }

  public mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot {
    var writer = SnapshotWriter()
    write(slot, to: &writer)
    let fork = try snapshotting(&base) { keeper throws(EnvironmentError) in try keeper.fork(slot) }
    var reader = SnapshotReader(writer.bytes)
    try read(fork, from: &reader)
    return fork
  }
}
