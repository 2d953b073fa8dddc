import Autograd
import Environments
import Testing
import WorldModel

@testable import GeneratedWorlds

/// What a person turns and looks at while a dream goes on.
@Suite struct TunedDreamTests {
  private func start(_ sampling: SamplingConfiguration? = nil) throws -> (GeneratedWorldPool, Slot, StepBatch)
  {
    var pool = GeneratedWorldPool(try SmallWorld.make(), workers: Workers(count: 1), sampling: sampling)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 3, level: 1)], into: &batch)
    return (pool, slot, batch)
  }

  /// The frames of six steps, the settings turned after so many.
  private func frames(
    _ sampling: SamplingConfiguration? = nil, turning values: [String: Double] = [:], after turn: Int = 0
  ) throws -> [[UInt8]] {
    var (pool, slot, batch) = try start(sampling)
    return try (0..<6).map { step in
      if step == turn { try pool.tune(slot, values) }
      try pool.step([slot], [Int32(step % 5)], into: &batch)
      return Array(batch.observation(0))
    }
  }

  @Test func turnedNumbersAreThoseOfTheSampler() throws {
    let own = SmallWorld.configuration.sampling
    var other = own
    other.steps = 7
    other.temperature = 0.75
    other.leastShare = 0.6
    let values = ["MaskGIT steps": 7, "temperature": 0.75, "least share": 0.6]
    let turned = try frames(turning: values)
    #expect(try turned == frames(other))
    let (plain, late) = (try frames(), try frames(turning: values, after: 4))
    #expect(turned != plain)
    #expect(late.prefix(4) == plain.prefix(4) && late != plain)
  }

  @Test func aSlotIsTurnedAlone() throws {
    var (pool, slot, batch) = try start()
    let other = try pool.open(OpenOptions())
    try pool.reset([other], [ResetOptions(seed: 3, level: 1)], into: &batch)
    try pool.tune(other, ["temperature": 3])
    try pool.step([slot], [0], into: &batch)
    #expect(try Array(batch.observation(0)) == frames()[0])
  }

  @Test func whatIsNotOfferedIsRefused() throws {
    var (pool, slot, _) = try start()
    for values in [["temperature": 9.0], ["MaskGIT steps": 0], ["gain": 1], ["temperature": .nan]] {
      #expect(throws: EnvironmentError.self) { try pool.tune(slot, values) }
    }
    pool.close(slot)
    #expect(throws: EnvironmentError.unknownSlot(slot)) { try pool.tune(slot, [:]) }
    #expect(throws: EnvironmentError.unknownSlot(slot)) { try pool.chart("tokens", of: slot) }
  }

  @Test func chartsAreOfTheLastFrame() throws {
    var (pool, slot, batch) = try start()
    #expect(
      try pool.chart("confidence", of: slot)
        == FrameChart(rows: 4, columns: 4, values: .init(repeating: 1, count: 16)))
    try pool.step([slot], [2], into: &batch)
    let confidence = try pool.chart("confidence", of: slot)
    #expect(confidence.values.allSatisfy { $0 > 0 && $0 <= 1 } && confidence.values.contains { $0 < 1 })
    let tokens = try pool.chart("tokens", of: slot)
    #expect(tokens.values.allSatisfy { (0..<24).contains($0) } && (tokens.rows, tokens.columns) == (4, 4))
    #expect(throws: EnvironmentError.self) { try pool.chart("weather", of: slot) }
  }
}
