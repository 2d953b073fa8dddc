import Testing

@testable import Environments

@Suite struct EnvironmentCheckerTests {
  typealias Check = EnvironmentChecker.Check

  @Test func soundPoolsPass() {
    #expect(EnvironmentChecker { () throws(EnvironmentError) in GamePool(Platformer()) }.run().isEmpty)
    #expect(EnvironmentChecker { () throws(EnvironmentError) in GamePool(Noop()) }.run().isEmpty)
    #expect(EnvironmentChecker { () throws(EnvironmentError) in GamePool(Countdown()) }.run().isEmpty)
  }

  @Test func wrappersPass() {
    let wrappers: [(any EnvironmentPool) -> any EnvironmentPool] = [
      { TimeLimit($0, steps: 7) }, { GoalCut($0, reward: 10) }, { FrameStack($0, frames: 3) },
      { EpisodeStatistics($0) },
      { Recording($0) { _ in } }, { try! MappedActions($0, map: ActionMap(real: [2, 5, 2, 0], samples: 0)) },
    ]
    for wrap in wrappers {
      let checker = EnvironmentChecker { () throws(EnvironmentError) in wrap(GamePool(Platformer())) }
      #expect(checker.run().isEmpty)
    }
  }

  @Test(
    arguments: [
      (.remembersOtherSlots, .anySubsetAnyOrder), (.drawsFromAGlobalGenerator, .determinism),
      (.stepsAfterTheEnd, .stepAfterEnd), (.takesAnyAction, .invalidAction), (.ignoresCounts, .countMismatch),
      (.allowsRepeats, .repeatedSlot), (.ignoresUnknownSlots, .unknownSlot),
      (.keepsClosedSlotsOpen, .closedSlot),
      (.acceptsAnyOption, .options), (.leavesFaultsInTheBatch, .batchReuse), (.givesRewardsAtReset, .reset),
      (.stepsAfterTheEnd, .needsReset), (.stepsAfterTheEnd, .faultsStayInTheirSlot),
      (.drawsFromAGlobalGenerator, .unseededRuns), (.offersAnAuxiliaryTwice, .specification),
    ] as [(Flaw, Check)])
  func everyFlawIsFound(flaw: Flaw, by check: Check) {
    let counter = Counter()
    let findings = EnvironmentChecker { () throws(EnvironmentError) in
      FlawedPool(flaw: flaw, global: counter)
    }.run()
    #expect(findings.contains { $0.check == check }, "\(findings)")
  }

  @Test func aForgetfulSnapshotIsFound() {
    struct Forgetful: Game {
      var game = Platformer()
      var specification: EnvironmentSpecification { game.specification }
      mutating func reset(seed: UInt64, level: Int?) { game.reset(seed: seed, level: level) }
      mutating func step(_ action: Int32) -> GameOutcome { game.step(action) }
      func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) { game.draw(into: pixels) }
      func auxiliary(_ name: String) -> Float { game.auxiliary(name) }
      func save(to snapshot: inout SnapshotWriter) {}
      mutating func load(from snapshot: inout SnapshotReader) {}
    }
    let findings = EnvironmentChecker { () throws(EnvironmentError) in GamePool(Forgetful()) }.run()
    #expect(findings.map(\.check) == [.snapshots])
  }
}

enum Flaw: Sendable {
  case remembersOtherSlots, drawsFromAGlobalGenerator, stepsAfterTheEnd, takesAnyAction, ignoresCounts
  case allowsRepeats, ignoresUnknownSlots, keepsClosedSlotsOpen, acceptsAnyOption, leavesFaultsInTheBatch
  case givesRewardsAtReset, offersAnAuxiliaryTwice
}

/// What outlives a pool: the state that makes a run depend on the runs before.
final class Counter {
  var value: UInt8 = 0
}

/// A sound pool with one flaw.
private struct FlawedPool: EnvironmentPool {
  let flaw: Flaw
  let global: Counter
  var base = GamePool(Platformer())
  var calls: UInt8 = 0

  init(flaw: Flaw, global: Counter) {
    self.flaw = flaw
    self.global = global
  }

  var specification: EnvironmentSpecification {
    var specification = base.specification
    if flaw == .offersAnAuxiliaryTwice { specification.auxiliaries += specification.auxiliaries.prefix(1) }
    return specification
  }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try base.open(flaw == .acceptsAnyOption ? OpenOptions() : options)
  }

  mutating func close(_ slot: Slot) {
    if flaw != .keepsClosedSlotsOpen { base.close(slot) }
  }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    if flaw == .givesRewardsAtReset {
      batch.rewards[0..<batch.count].indices.forEach { batch.rewards[$0] = 1 }
    }
    if flaw == .drawsFromAGlobalGenerator, !slots.isEmpty {
      global.value &+= 1
      batch.observations[0] = global.value
    }
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    var slots = slots
    var actions = actions
    switch flaw {
    case .takesAnyAction: actions = actions.map { min(max($0, 0), 5) }
    case .ignoresCounts: while actions.count < slots.count { actions.append(0) }
    case .allowsRepeats:
      slots = slots.enumerated().filter { index, slot in slots.firstIndex(of: slot) == index }.map(\.element)
      actions = Array(actions.prefix(slots.count))
    case .ignoresUnknownSlots:
      slots.removeAll { base.game(in: $0) == nil }
      actions = Array(actions.prefix(slots.count))
    default: break
    }
    let hadFault = batch.faults.contains { $0 != nil }
    try base.step(slots, actions, into: &batch)
    switch flaw {
    case .remembersOtherSlots where slots.count > 1: batch.observations[0] ^= 1
    case .stepsAfterTheEnd: for row in 0..<batch.count { batch.faults[row] = nil }
    case .leavesFaultsInTheBatch where hadFault && batch.count > 0: batch.faults[0] = .needsReset
    default: break
    }
  }
}
