import Testing

@testable import Environments

/// Shows its place as a grey level, brighter by `flicker` in every second step.
private struct Walk: Game {
  let specification = EnvironmentSpecification(
    name: "Walk", observationSpace: Box(height: 16, width: 16), actionSpace: Discrete(3), horizon: 100)
  var flicker = 0
  private var (place, steps) = (0, 0)

  init(flicker: Int = 0) { self.flicker = flicker }

  mutating func reset(seed: UInt64, level: Int?) { (place, steps) = (0, 0) }
  /// 0 stays, 1 goes on, 2 goes back.
  mutating func step(_ action: Int32) -> GameOutcome {
    place += [0, 1, -1][Int(action)]
    steps += 1
    return GameOutcome(reward: 1)
  }
  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    pixels.update(repeating: UInt8(100 + 10 * (place % 12) + steps % 2 * flicker))
  }
  func auxiliary(_ name: String) -> Float { 0 }
  func save(to snapshot: inout SnapshotWriter) {
    snapshot.write(UInt32(place))
    snapshot.write(UInt32(steps))
  }
  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    place = Int(try snapshot.read(UInt32.self))
    steps = Int(try snapshot.read(UInt32.self))
  }
}

@Suite struct RepeatLimitTests {
  /// Steps until the end; nil if there is none.
  private func length(_ actions: [Int32], limit: Int = 4, flicker: Int = 0) throws -> Int? {
    var pool = RepeatLimit(GamePool(Walk(flicker: flicker)), steps: limit)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    for (step, action) in actions.enumerated() {
      try pool.step([slot], [action], into: &batch)
      #expect(batch.faults == [nil] && batch.rewards == [1] && batch.truncated == [false])
      if batch.terminated[0] { return step + 1 }
    }
    return nil
  }

  @Test func whoStandsStillIsAtTheEnd() throws {
    #expect(try length([0, 0, 0, 0, 0, 0]) == 4)
    #expect(try length([1, 1, 0, 0, 0, 0]) == 6)
    #expect(try length([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]) == nil)
  }

  /// A slot that is named twice is what is wrong with a call, also where its episode is over.
  @Test func anEndedSlotIsNotNamedTwice() throws {
    var pool = RepeatLimit(GamePool(Walk()), steps: 1)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    try pool.step([slot], [0], into: &batch)
    #expect(batch.terminated == [true])
    #expect(throws: EnvironmentError.repeatedSlot(slot)) {
      try pool.step([slot, slot], [0, 0], into: &batch)
    }
  }

  @Test func goingToAndFroShowsNothingNew() throws {
    #expect(try length([1, 2, 1, 2, 1, 2, 1]) == 5)
    #expect(try length([1, 1, 1, 2, 2, 2, 1, 1]) == 7)
  }

  @Test func whatADecoderMakesOfTheSameTokensIsNothingNew() throws {
    #expect(try length([0, 0, 0, 0], flicker: 3) == 4)
    #expect(try length([0, 0, 0, 0, 0], flicker: 9) == 5)
  }

  @Test func othersGoOnAndAResetBeginsAnew() throws {
    var pool = RepeatLimit(GamePool(Walk()), steps: 2)
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(), ResetOptions()], into: &batch)
    for _ in 0..<2 { try pool.step(slots, [0, 1], into: &batch) }
    #expect(batch.terminated == [true, false])
    try pool.step(slots, [0, 1], into: &batch)
    #expect(batch.faults == [.needsReset, nil] && batch.rewards[1] == 1)
    try pool.reset([slots[0]], [ResetOptions()], into: &batch)
    try pool.step(slots, [0, 1], into: &batch)
    #expect(batch.faults == [nil, nil] && batch.terminated == [false, false])
  }

  @Test func whatWasShownTravelsWithASnapshot() throws {
    var pool = RepeatLimit(GamePool(Walk()), steps: 3)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    for action: Int32 in [1, 0, 0] { try pool.step([slot], [action], into: &batch) }
    let kept = try pool.snapshot(slot)
    let fork = try pool.fork(slot)
    for _ in 0..<2 { try pool.step([slot], [1], into: &batch) }
    try pool.restore(slot, from: kept)
    #expect(try pool.snapshot(slot) == kept)
    try pool.step([slot, fork], [2, 1], into: &batch)
    #expect(batch.terminated == [true, false])
    // A byte too many, and one too few.
    #expect(throws: EnvironmentError.self) { try pool.restore(slot, from: kept + [0]) }
    #expect(throws: EnvironmentError.self) { try pool.restore(slot, from: kept.dropLast()) }
  }

  @Test func thePoolKeepsTheContract() throws {
    let findings = EnvironmentChecker { () throws(EnvironmentError) in
      RepeatLimit(GamePool(Platformer()), steps: 400)
    }.run()
    #expect(findings == [])
  }
}
