import Environments
import Foundation

/// What the pools of a test's server were asked, as seen from the test.
final class Journal: @unchecked Sendable {
  private let lock = NSLock()
  private var entries: [Int] = []
  private var slots = 0
  private var kept = 0
  /// Called with every snapshot. To be set before there are any.
  var onSnapshot: @Sendable () -> Void = {}

  /// Rows of every call of `step`, in order.
  var rounds: [Int] { lock.withLock { entries } }
  var steps: Int { rounds.reduce(0, +) }
  var openSlots: Int { lock.withLock { slots } }
  var snapshots: Int { lock.withLock { kept } }

  func record(_ rows: Int) { lock.withLock { entries.append(rows) } }
  func opened(_ count: Int) { lock.withLock { slots += count } }

  func snapshot() {
    lock.withLock { kept += 1 }
    onSnapshot()
  }
}

/// Environments whose observation is the number of their steps, and some of whose actions make trouble.
struct CountingPool: EnvironmentPool {
  static let faulty: Int32 = 5
  static let slow: Int32 = 6
  static let throwing: Int32 = 7
  static let slowSeconds = 0.4

  let specification = EnvironmentSpecification(
    name: "Counting-v1", observationSpace: Box(height: 1, width: 1, channels: 4), actionSpace: Discrete(8),
    auxiliaries: ["parity"], slotLimit: 64)
  let journal: Journal
  fileprivate var counts: [Slot: Int32] = [:]
  private var next: Int32 = 1_000

  init(_ journal: Journal) { self.journal = journal }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    guard counts.count < specification.slotLimit else { throw .tooManySlots(limit: specification.slotLimit) }
    for name in options.auxiliaries where !specification.auxiliaries.contains(name) {
      throw .unknownAuxiliary(name, offered: specification.auxiliaries)
    }
    next += 1
    let slot = Slot(index: next, generation: 7)
    counts[slot] = 0
    journal.opened(1)
    return slot
  }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    batch.prepare(count: slots.count)
    for (row, slot) in slots.enumerated() {
      counts[slot] = Int32(truncatingIfNeeded: options[row].seed ?? 0)
      write(row, slot, &batch)
    }
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    for slot in slots where counts[slot] == nil { throw .unknownSlot(slot) }
    if actions.contains(Self.throwing) { throw .refused(reason: "as asked") }
    journal.record(slots.count)
    if actions.contains(Self.slow) { Thread.sleep(forTimeInterval: Self.slowSeconds) }
    batch.prepare(count: slots.count)
    for (row, slot) in slots.enumerated() {
      if actions[row] == Self.faulty {
        batch.faults[row] = .fault("as asked")
        continue
      }
      counts[slot]! += 1
      batch.rewards[row] = Float(actions[row])
      write(row, slot, &batch)
    }
  }

  private func write(_ row: Int, _ slot: Slot, _ batch: inout StepBatch) {
    let count = counts[slot]!
    batch.withObservation(row) { bytes in
      UnsafeMutableRawBufferPointer(bytes).storeBytes(of: count, as: Int32.self)
    }
    batch.setAuxiliary("parity", row: row, Float(count % 2))
  }

  mutating func close(_ slot: Slot) {
    if counts.removeValue(forKey: slot) != nil { journal.opened(-1) }
  }
}

/// The same, and they can be kept.
struct KeepingPool: Snapshotting {
  static let snapshotBytes = 1_024

  private var base: CountingPool

  init(_ journal: Journal) { base = CountingPool(journal) }

  var specification: EnvironmentSpecification { base.specification }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { try base.open(options) }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
  }

  mutating func close(_ slot: Slot) { base.close(slot) }

  func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8] {
    guard let count = base.counts[slot] else { throw .unknownSlot(slot) }
    base.journal.snapshot()
    var writer = SnapshotWriter()
    writer.write(count)
    return writer.bytes + Array(repeating: 0, count: Self.snapshotBytes - writer.bytes.count)
  }

  mutating func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError) {
    var reader = SnapshotReader(snapshot)
    base.counts[slot] = try reader.read(Int32.self)
  }

  mutating func fork(_ slot: Slot) throws(EnvironmentError) -> Slot {
    let copy = try open(OpenOptions())
    base.counts[copy] = base.counts[slot]
    return copy
  }
}
