/// Tells the return and the length of every episode in the row of the step that ends it, as the auxiliaries
/// `episodeReturn` and `episodeLength`; in all other rows they are NaN.
///
/// They are reported to every slot: to wrap a pool is to ask for them.
public struct EpisodeStatistics: Wrapper {
  private struct Tally {
    var total: Float = 0
    var length = 0
  }

  public static let auxiliaries = ["episodeReturn", "episodeLength"]

  public var base: any EnvironmentPool
  private var tallies: [Slot: Tally] = [:]

  public init(_ base: any EnvironmentPool) {
    self.base = base
  }

  public var specification: EnvironmentSpecification {
    var specification = base.specification
    specification.auxiliaries += Self.auxiliaries
    return specification
  }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try specification.check(options)
    var options = options
    options.auxiliaries.removeAll { Self.auxiliaries.contains($0) }
    return try base.open(options)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    tallies[slot] = nil
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil { tallies[slot] = Tally() }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      var tally = tallies[slot, default: Tally()]
      tally.total += batch.rewards[row]
      tally.length += 1
      tallies[slot] = tally
      if batch.terminated[row] || batch.truncated[row] {
        batch.setAuxiliary("episodeReturn", row: row, tally.total)
        batch.setAuxiliary("episodeLength", row: row, Float(tally.length))
      }
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {
    let tally = tallies[slot, default: Tally()]
    snapshot.write(tally.total.bitPattern)
    snapshot.write(Int64(tally.length))
  }

  public mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let total = Float(bitPattern: try snapshot.read(UInt32.self))
    let length = try snapshot.read(Int64.self)
    guard (0...Int64(Int32.max)).contains(length) else { throw .invalidSnapshot("it is damaged") }
    tallies[slot] = Tally(total: total, length: Int(length))
  }
}
