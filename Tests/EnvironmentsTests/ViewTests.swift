import Testing

@testable import Environments

/// Answers the second reset with a fault.
private struct FailedStart: Wrapper {
  var base: any EnvironmentPool
  private var resets = 0

  init(_ base: any EnvironmentPool) { self.base = base }

  var specification: EnvironmentSpecification { base.specification }
  func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    resets += 1
    guard resets == 2 else { return try base.reset(slots, options, into: &batch) }
    batch.prepare(count: slots.count)
    for row in slots.indices { batch.faults[row] = .fault("not now") }
  }
}

/// Throws once, at the call with this number.
private struct BrokenCall: Wrapper {
  var base: any EnvironmentPool
  let broken: Int
  private var calls = 0
  private(set) var steps = 0

  init(_ base: any EnvironmentPool, broken: Int) {
    self.base = base
    self.broken = broken
  }

  var specification: EnvironmentSpecification { base.specification }
  func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}

  private mutating func count() throws(EnvironmentError) {
    calls += 1
    if calls == broken { throw .timedOut(operation: "a call", seconds: 1) }
  }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try count()
    try base.reset(slots, options, into: &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try count()
    try base.step(slots, actions, into: &batch)
    steps += slots.count
  }
}

@Suite struct ViewTests {
  /// A step that threw half way is repeated, and comes to what an undisturbed one does; nothing is stepped twice.
  @Test(arguments: [AutoresetMode.nextStep, .sameStep], 2...8) func aStepThatThrewIsRepeated(
    mode: AutoresetMode, broken: Int
  ) throws {
    func play(_ broken: Int) throws -> (seen: [StepBatch], steps: Int, throwing: Int) {
      var environments = try VectorEnvironment(
        BrokenCall(GamePool(Countdown()), broken: broken), count: 3, autoreset: mode)
      var batch = environments.makeBatch()
      try environments.reset([2, 3, 2].map { ResetOptions(seed: $0) }, into: &batch)
      var (seen, throwing) = ([StepBatch](), 0)
      for _ in 0..<6 {
        do { try environments.step([0, 0, 0], into: &batch) } catch {
          throwing += 1
          try environments.step([0, 0, 0], into: &batch)
        }
        seen.append(batch)
      }
      return (seen, (environments.pool as! BrokenCall).steps, throwing)
    }
    let (undisturbed, disturbed) = (try play(0), try play(broken))
    #expect(undisturbed.throwing == 0 && disturbed.throwing == 1)
    #expect(disturbed.steps == undisturbed.steps)
    for (one, other) in zip(disturbed.seen, undisturbed.seen) {
      #expect(one.observations == other.observations && one.rewards == other.rewards)
      #expect(one.terminated == other.terminated && one.truncated == other.truncated)
    }
  }

  /// A start that failed is tried again by the next step.
  @Test(arguments: [AutoresetMode.nextStep, .sameStep]) func aFailedStartIsTriedAgain(mode: AutoresetMode)
    throws
  {
    var environments = try VectorEnvironment(FailedStart(GamePool(Countdown())), count: 1, autoreset: mode)
    var batch = environments.makeBatch()
    try environments.reset([ResetOptions(seed: 1)], into: &batch)
    try environments.step([0], into: &batch)
    if mode == .nextStep { try environments.step([0], into: &batch) }
    #expect(batch.faults == [.fault("not now")])
    try environments.step([0], into: &batch)
    #expect(batch.faults == [nil] && shown(batch)[0] > 0)
  }

  /// Two environments that are cut after 2 steps, and one (row 1) after 3.
  private func vector(_ mode: AutoresetMode) throws -> (VectorEnvironment, StepBatch) {
    var environments = try VectorEnvironment(
      GamePool(Countdown()), count: 3, autoreset: mode, options: OpenOptions(auxiliaries: ["left"]))
    var batch = environments.makeBatch()
    try environments.reset((2...4).map { ResetOptions(seed: [2, 3, 2][$0 - 2]) }, into: &batch)
    return (environments, batch)
  }

  private func shown(_ batch: StepBatch) -> [UInt8] { (0..<batch.count).map { batch.observation($0).first! } }

  @Test func nextStepResetsInTheStepAfterTheEnd() throws {
    var (environments, batch) = try vector(.nextStep)
    #expect(shown(batch) == [2, 3, 2])
    try environments.step([0, 0, 0], into: &batch)
    try environments.step([0, 0, 0], into: &batch)
    #expect(shown(batch) == [0, 1, 0])
    #expect(batch.terminated == [true, false, true] && batch.rewards == [1, 1, 1])
    // The action is ignored, even one that does not exist.
    try environments.step([99, 0, 0], into: &batch)
    #expect(batch.faults == [nil, nil, nil])
    #expect(batch.terminated == [false, true, false] && batch.rewards == [0, 1, 0])
    #expect(shown(batch)[1] == 0 && shown(batch)[0] > 0)
    #expect(batch.auxiliaries["left"]![1] == 0)
    let started = shown(batch)
    try environments.step([0, 0, 0], into: &batch)
    #expect(shown(batch)[0] == started[0] - 1 && batch.rewards[1] == 0)
  }

  @Test func sameStepKeepsTheFinalObservation() throws {
    var (environments, batch) = try vector(.sameStep)
    try environments.step([0, 0, 0], into: &batch)
    #expect(batch.finalObservations.isEmpty)
    try environments.step([0, 0, 0], into: &batch)
    #expect(batch.terminated == [true, false, true] && batch.rewards == [1, 1, 1])
    #expect(Set(batch.finalObservations.keys) == [0, 2])
    #expect(batch.finalObservations[0]!.first == 0)
    #expect(shown(batch)[0] > 0 && shown(batch)[1] == 1)
    #expect(batch.auxiliaries["left"]![0] == 0)
  }

  @Test func disabledWaitsForTheCaller() throws {
    var (environments, batch) = try vector(.disabled)
    for _ in 0..<3 { try environments.step([0, 0, 0], into: &batch) }
    #expect(batch.faults == [.needsReset, nil, .needsReset])
    try environments.reset(rows: [2], [ResetOptions(seed: 5)], into: &batch)
    #expect(batch.faults == [.needsReset, nil, nil])
    #expect(shown(batch)[2] == 5 && batch.terminated[1])
  }

  @Test func rowsHaveSeedsOfTheirOwn() throws {
    var environments = try VectorEnvironment(GamePool(Platformer()), count: 3)
    var batch = environments.makeBatch()
    try environments.reset(seed: 7, into: &batch)
    var single = try Environment(GamePool(Platformer()))
    try single.reset(ResetOptions(seed: 9))
    #expect(batch.observation(2).elementsEqual(single.observation))
    #expect(!batch.observation(1).elementsEqual(single.observation))
  }

  @Test func oneEnvironmentThrowsItsFaults() throws {
    var environment = try Environment(GamePool(Countdown()), options: OpenOptions(auxiliaries: ["left"]))
    #expect(environment.observation.allSatisfy { $0 == 0 })
    #expect(throws: EnvironmentError.needsReset) { try environment.step(0) }
    try environment.reset(ResetOptions(seed: 1))
    #expect(throws: EnvironmentError.invalidAction(5, count: 2)) { try environment.step(5) }
    let step = try environment.step(1)
    #expect(step == .init(reward: 1, terminated: true, truncated: false, auxiliaries: ["left": 0]))
    environment.close()
    #expect(throws: EnvironmentError.unknownSlot(environment.slot)) { try environment.reset() }
  }

  @Test func theCatalogueOffersTheGames() throws {
    var catalogue = EnvironmentCatalogue.builtIn
    #expect(catalogue.names == ["Noop-v1", "Platformer-v1"])
    for name in catalogue.names { #expect(try catalogue.makePool(name).specification.name == name) }
    #expect(throws: EnvironmentError.unknownEnvironment("Pong", offered: catalogue.names)) {
      _ = try catalogue.makePool("Pong")
    }
    catalogue.register("Countdown") { GamePool(Countdown()) }
    #expect(try catalogue.makePool("Countdown").actionSpace.count == 2)
  }
}
