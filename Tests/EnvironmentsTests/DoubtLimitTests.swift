import Environments
import Testing

/// Is sure of itself for two steps, and then no more.
private struct Unsure: Game {
  let specification = EnvironmentSpecification(
    name: "Unsure", observationSpace: Box(height: 1, width: 1), actionSpace: Discrete(2), horizon: 10,
    auxiliaries: ["logLikelihood"])
  private var steps = 0

  mutating func reset(seed: UInt64, level: Int?) { steps = 0 }
  mutating func step(_ action: Int32) -> GameOutcome {
    steps += 1
    return GameOutcome(reward: 1)
  }
  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) { pixels.update(repeating: UInt8(steps)) }
  func auxiliary(_ name: String) -> Float { steps > 2 ? -1 : 0 }
  func save(to snapshot: inout SnapshotWriter) { snapshot.write(UInt8(steps)) }
  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    steps = Int(try snapshot.read(UInt8.self))
  }
}

@Suite struct DoubtLimitTests {
  private func steps(_ consequence: DoubtLimit.Consequence) throws -> StepBatch {
    var pool = try DoubtLimit(GamePool(Unsure()), limit: -0.5, consequence: consequence)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    for _ in 0..<2 {
      try pool.step([slot], [0], into: &batch)
      #expect(batch.rewards[0] == 1 && !batch.terminated[0] && !batch.truncated[0])
    }
    try pool.step([slot], [0], into: &batch)
    return batch
  }

  @Test func doubtCostsCutsOrEnds() throws {
    #expect(try steps(.penalty(0.25)).rewards[0] == 0.75)
    let cut = try steps(.truncation)
    #expect(cut.truncated[0] && !cut.terminated[0])
    let end = try steps(.termination)
    #expect(end.terminated[0] && !end.truncated[0])
  }

  @Test func anEndedEpisodeWaitsForItsReset() throws {
    var pool = try DoubtLimit(GamePool(Unsure()), limit: -0.5, consequence: .termination)
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(), ResetOptions()], into: &batch)
    for _ in 0..<3 { try pool.step([slots[0]], [0], into: &batch) }
    try pool.step(slots, [0, 0], into: &batch)
    #expect(batch.faults == [.needsReset, nil] && batch.rewards[1] == 1)
    try pool.reset([slots[0]], [ResetOptions()], into: &batch)
    try pool.step(slots, [0, 0], into: &batch)
    #expect(batch.faults == [nil, nil])
  }

  @Test func aPoolThatSaysNothingOfItselfIsRefused() {
    #expect(throws: EnvironmentError.self) {
      try DoubtLimit(GamePool(Noop()), limit: 0, consequence: .truncation)
    }
  }
}
