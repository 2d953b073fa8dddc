import Autograd
import Environments
import Testing
import WorldModel

@testable import GeneratedWorlds

@Suite struct GeneratedWorldPoolTests {
  /// Frames of `worlds` worlds over some steps, with seeds and actions of their own.
  private func dream(
    _ worlds: Int, threads: Int, steps: Int = 10, precision: Precision = .float32,
    order: ([Int]) -> [Int] = { $0 }
  ) throws -> [[UInt8]] {
    var pool = GeneratedWorldPool(try SmallWorld.make().at(precision), workers: Workers(count: threads))
    var slots: [Slot] = []
    for _ in 0..<worlds { slots.append(try pool.open(OpenOptions())) }
    var batch = pool.makeBatch()
    try pool.reset(slots, (0..<worlds).map { ResetOptions(seed: UInt64($0)) }, into: &batch)
    var frames = (0..<worlds).map { Array(batch.observation($0)) }
    for step in 0..<steps {
      let rows = order(Array(0..<worlds))
      try pool.step(rows.map { slots[$0] }, rows.map { Int32(($0 + step) % 5) }, into: &batch)
      for (place, row) in rows.enumerated() {
        #expect(batch.faults[place] == nil)
        frames[row] += batch.observation(place)
      }
    }
    return frames
  }

  @Test(arguments: [1, 2], Precision.allCases)
  func aWorldDoesNotDependOnWhatIsDreamtBesideIt(threads: Int, precision: Precision) throws {
    let alone = try dream(1, threads: threads, precision: precision)
    let seven = try dream(7, threads: threads, precision: precision)
    let many = try dream(32, threads: threads, precision: precision)
    #expect(alone[0] == seven[0])
    #expect(Array(many.prefix(7)) == seven)
    #expect(Set(seven).count == 7, "worlds of seven seeds are the same")
  }

  @Test(arguments: Precision.allCases) func threadsAndOrderChangeNothing(precision: Precision) throws {
    let one = try dream(7, threads: 1, precision: precision)
    #expect(try dream(7, threads: 2, precision: precision) == one)
    #expect(try dream(7, threads: 3, precision: precision, order: { $0.reversed() }) == one)
    // Fewer worlds than threads: all work on one.
    let few = try dream(2, threads: 1, precision: precision)
    #expect(try dream(2, threads: 3, precision: precision) == few)
  }

  @Test func subsetsAreSteppedAlone() throws {
    var pool = GeneratedWorldPool(try SmallWorld.make(), workers: Workers(count: 2))
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(seed: 5), ResetOptions(seed: 5)], into: &batch)
    for _ in 0..<3 { try pool.step([slots[1]], [2], into: &batch) }
    let ahead = Array(batch.observation(0))
    for _ in 0..<3 { try pool.step([slots[0]], [2], into: &batch) }
    #expect(Array(batch.observation(0)) == ahead)
  }

  @Test func actionsMatter() throws {
    var pool = GeneratedWorldPool(try SmallWorld.make(), workers: Workers(count: 1))
    var slots: [Slot] = []
    for _ in 0..<5 { slots.append(try pool.open(OpenOptions())) }
    var batch = pool.makeBatch()
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 1) }, into: &batch)
    for _ in 0..<4 { try pool.step(slots, [0, 1, 2, 3, 4], into: &batch) }
    #expect(Set((0..<5).map { Array(batch.observation($0)) }).count > 1)
  }

  @Test func keepsTheContract() throws {
    let findings = EnvironmentChecker {
      GeneratedWorldPool(try! SmallWorld.make(), workers: Workers(count: 2))
    }.run()
    #expect(findings.isEmpty, "\(findings)")
  }

  @Test func startsFromLevelsSeedsAndPictures() throws {
    let world = try SmallWorld.make()
    var pool = GeneratedWorldPool(world, workers: Workers(count: 1))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 3, level: 2)], into: &batch)
    let fromLevel = batch.observations
    let picture = Array(world.levels.clips(2..<3).bytes)
    try pool.reset(
      [slot], [ResetOptions(seed: 3, prompt: Prompt(height: 16, width: 16, pixels: picture))], into: &batch)
    #expect(batch.observations == fromLevel)
    try pool.reset([slot], [ResetOptions(level: 6)], into: &batch)
    #expect(batch.faults[0] == .unknownLevel(6, count: 6))
    let wrongSize = Prompt(height: 8, width: 8, pixels: [UInt8](repeating: 0, count: 192))
    try pool.reset([slot], [ResetOptions(prompt: wrongSize)], into: &batch)
    guard case .invalidPrompt = batch.faults[0] else {
      return #expect(Bool(false), "\(String(describing: batch.faults[0]))")
    }
    let tooLong = Prompt(frames: 4, height: 16, width: 16, pixels: [UInt8](repeating: 0, count: 4 * 768))
    try pool.reset([slot], [ResetOptions(prompt: tooLong)], into: &batch)
    guard case .invalidPrompt = batch.faults[0] else {
      return #expect(Bool(false), "\(String(describing: batch.faults[0]))")
    }
    // A refused reset left the episode as it was.
    try pool.step([slot], [0], into: &batch)
    #expect(batch.faults[0] == nil)
  }

  @Test func aHorizonTruncates() throws {
    var pool = GeneratedWorldPool(try SmallWorld.make(), workers: Workers(count: 1))
    let slot = try pool.open(OpenOptions(auxiliaries: ["entropy", "logLikelihood"], horizon: 3))
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 1)], into: &batch)
    for step in 1...3 {
      try pool.step([slot], [1], into: &batch)
      #expect(batch.truncated[0] == (step == 3))
      #expect(batch.terminated[0] == false)
    }
    #expect(batch.auxiliaries["entropy"]![0] >= 0)
    #expect(batch.auxiliaries["logLikelihood"]![0] <= 0)
    try pool.step([slot], [1], into: &batch)
    #expect(batch.faults[0] == .needsReset)
  }

  @Test func episodesHaveNoLimitOfTheirOwn() throws {
    var pool = GeneratedWorldPool(try SmallWorld.make(), workers: Workers(count: 1))
    let slot = try pool.open(OpenOptions(horizon: 5000))
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 1)], into: &batch)
    var seen: Set<[UInt8]> = []
    for step in 0..<400 {
      try pool.step([slot], [Int32(step % 5)], into: &batch)
      #expect(batch.faults[0] == nil)
      if step >= 300 { seen.insert(batch.observations) }
    }
    #expect(seen.count > 20, "the world froze")
  }
}
