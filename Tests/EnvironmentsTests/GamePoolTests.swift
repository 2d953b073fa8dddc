import Testing

@testable import Environments

@Suite struct GamePoolTests {
  private func opened(_ count: Int, _ options: OpenOptions = OpenOptions()) throws -> (
    GamePool<Platformer>, [Slot]
  ) {
    var pool = GamePool(Platformer())
    let slots = try (0..<count).map { _ in try pool.open(options) }
    return (pool, slots)
  }

  private func seeds(_ count: Int) -> [ResetOptions] { (0..<count).map { ResetOptions(seed: UInt64($0)) } }

  @Test func anEpisodeIsItsSeedWhateverElseIsStepped() throws {
    var (many, slots) = try opened(5)
    var (one, single) = try opened(1)
    var all = many.makeBatch()
    var alone = one.makeBatch()
    try many.reset(slots, seeds(5), into: &all)
    try one.reset(single, [ResetOptions(seed: 3)], into: &alone)
    #expect(all.observation(3).elementsEqual(alone.observation(0)))
    for step in 0..<40 as Range<Int32> {
      let order = step % 2 == 0 ? [4, 3, 1] : [3, 0, 2, 4]
      let row = order.firstIndex(of: 3)!
      try many.step(order.map { slots[$0] }, order.map { (step / 4 + Int32($0)) % 6 }, into: &all)
      try one.step(single, [(step / 4 + 3) % 6], into: &alone)
      if alone.faults[0] == nil {
        #expect(all.observation(row).elementsEqual(alone.observation(0)))
        #expect(all.rewards[row] == alone.rewards[0])
      }
    }
  }

  @Test func callsAreAllOrNothing() throws {
    var (pool, slots) = try opened(2)
    var batch = pool.makeBatch()
    try pool.reset(slots, seeds(2), into: &batch)
    let before = try pool.snapshot(slots[0])
    let strange = Slot(index: -4, generation: 9)
    #expect(throws: EnvironmentError.unknownSlot(strange)) {
      try pool.step([slots[0], strange], [2, 2], into: &batch)
    }
    #expect(throws: EnvironmentError.repeatedSlot(slots[0])) {
      try pool.step([slots[0], slots[1], slots[0]], [2, 2, 2], into: &batch)
    }
    #expect(throws: EnvironmentError.countMismatch(what: "actions", expected: 2, found: 1)) {
      try pool.step(slots, [2], into: &batch)
    }
    #expect(try pool.snapshot(slots[0]) == before)
  }

  @Test func faultsStayInTheirSlot() throws {
    var (pool, slots) = try opened(3)
    var batch = pool.makeBatch()
    try pool.reset(Array(slots[0..<2]), seeds(2), into: &batch)
    let before = try pool.snapshot(slots[0])
    try pool.step(slots, [6, 2, 0], into: &batch)
    #expect(batch.faults == [.invalidAction(6, count: 6), nil, .needsReset])
    #expect(try pool.snapshot(slots[0]) == before)
    #expect(pool.game(in: slots[1])?.effect == PlatformerEffect(dx: 1, dy: 0))
    let prompt = Prompt(height: 1, width: 1, pixels: [0, 0, 0])
    try pool.reset([slots[0]], [ResetOptions(prompt: prompt)], into: &batch)
    #expect(batch.faults[0] != nil)
    #expect(try pool.snapshot(slots[0]) == before)
  }

  @Test func aClosedSlotIsNeverSomebodyElses() throws {
    var (pool, slots) = try opened(1)
    var batch = pool.makeBatch()
    pool.close(slots[0])
    let next = try pool.open(OpenOptions())
    #expect(next.index == slots[0].index && next != slots[0])
    #expect(throws: EnvironmentError.unknownSlot(slots[0])) {
      try pool.reset(slots, seeds(1), into: &batch)
    }
    pool.close(slots[0])
    try pool.reset([next], seeds(1), into: &batch)
  }

  @Test func theHorizonTruncatesAndEnds() throws {
    var (pool, slots) = try opened(1, OpenOptions(horizon: 3))
    var batch = pool.makeBatch()
    try pool.reset(slots, seeds(1), into: &batch)
    var truncated: [Bool] = []
    for _ in 0..<3 {
      try pool.step(slots, [0], into: &batch)
      truncated.append(batch.truncated[0])
    }
    #expect(truncated == [false, false, true] && !batch.terminated[0])
    try pool.step(slots, [0], into: &batch)
    #expect(batch.faults[0] == .needsReset)
  }

  @Test func optionsAreChecked() throws {
    var pool = GamePool(Platformer())
    #expect(throws: EnvironmentError.self) { try pool.open(OpenOptions(auxiliaries: ["nothing"])) }
    #expect(throws: EnvironmentError.self) { try pool.open(OpenOptions(horizon: 0)) }
  }

  @Test func auxiliariesComeOnlyToThoseWhoAsked() throws {
    var pool = GamePool(Platformer())
    let curious = try pool.open(OpenOptions(auxiliaries: ["dx", "playerX"]))
    let plain = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([curious, plain], seeds(2), into: &batch)
    let start = batch.auxiliaries["playerX"]![0]
    try pool.step([plain, curious], [2, 2], into: &batch)
    #expect(batch.auxiliaries["dx"]![1] == 1 && batch.auxiliaries["dx"]![0].isNaN)
    #expect(batch.auxiliaries["playerX"]![1] == start + 1)
    #expect(batch.auxiliaries["dy"] == nil)
  }

  @Test func withoutSeedsASlotContinuesItsSequence() throws {
    var (pool, slots) = try opened(2)
    var batch = pool.makeBatch()
    var frames: [[[UInt8]]] = [[], []]
    for _ in 0..<3 {
      try pool.reset(slots, [ResetOptions(), ResetOptions()], into: &batch)
      for row in 0..<2 { frames[row].append(Array(batch.observation(row))) }
    }
    #expect(frames[0] == frames[1])
    #expect(Set(frames[0]).count == 3)
  }

  @Test func snapshotsBringAnEpisodeBack() throws {
    var (pool, slots) = try opened(2)
    var batch = pool.makeBatch()
    try pool.reset(slots, seeds(2), into: &batch)
    for _ in 0..<10 { try pool.step(slots, [2, 5], into: &batch) }
    let kept = try pool.snapshot(slots[0])
    let fork = try pool.fork(slots[0])
    try pool.restore(slots[1], from: kept)
    try pool.step([slots[0], slots[1], fork], [5, 5, 5], into: &batch)
    #expect(batch.observation(0).elementsEqual(batch.observation(1)))
    #expect(batch.observation(0).elementsEqual(batch.observation(2)))
    #expect(try pool.snapshot(fork) == pool.snapshot(slots[0]))
  }

  /// Bytes from anywhere: each cut and each changed byte either restores a legal state or throws.
  @Test func brokenSnapshotsNeverTrap() throws {
    var (pool, slots) = try opened(1)
    var batch = pool.makeBatch()
    try pool.reset(slots, seeds(1), into: &batch)
    let kept = try pool.snapshot(slots[0])
    for length in 0..<kept.count {
      #expect(throws: EnvironmentError.self) {
        try pool.restore(slots[0], from: Array(kept.prefix(length)))
      }
    }
    #expect(throws: EnvironmentError.self) { try pool.restore(slots[0], from: kept + [0]) }
    for index in kept.indices {
      for value: UInt8 in [0, 1, 127, 128, 255] {
        var broken = kept
        broken[index] = value
        try? pool.restore(slots[0], from: broken)
        try pool.step(slots, [5], into: &batch)
      }
    }
  }

  @Test func theTableIsBounded() throws {
    var table = SlotTable<Int>(limit: 2)
    let first = try table.open(10)
    _ = try table.open(20)
    #expect(throws: EnvironmentError.tooManySlots(limit: 2)) { try table.open(30) }
    #expect(table.close(first) == 10)
    let third = try table.open(30)
    #expect(table[third] == 30 && table.count == 2)
  }
}
