import Autograd
import Environments
import Testing
import Video
import WorldModel

@testable import GeneratedWorlds

@Suite struct DreamSnapshotTests {
  private func begun(_ world: World, steps: Int) throws -> (pool: GeneratedWorldPool, slot: Slot) {
    var pool = GeneratedWorldPool(world, workers: Workers(count: 1))
    let slot = try pool.open(OpenOptions(horizon: 1_000))
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 7)], into: &batch)
    for step in 0..<steps { try pool.step([slot], [Int32(step % 5)], into: &batch) }
    return (pool, slot)
  }

  /// Also where the window has slid many times.
  @Test(arguments: [0, 1, 17]) func aRestoredDreamIsTheSameToTheBit(_ steps: Int) throws {
    let world = try SmallWorld.make()
    var (pool, slot) = try begun(world, steps: steps)
    let snapshot = try pool.snapshot(slot)
    var (other, place) = try begun(world, steps: 3)
    try other.restore(place, from: snapshot)
    let fork = try pool.fork(slot)
    var (batch, second) = (pool.makeBatch(), other.makeBatch())
    for step in 0..<12 {
      let action = Int32(step % 4)
      try pool.step([slot, fork], [action, action], into: &batch)
      try other.step([place], [action], into: &second)
      #expect(Array(batch.observation(0)) == second.observations)
      #expect(batch.observation(0).elementsEqual(batch.observation(1)))
      #expect(batch.rewards[0] == second.rewards[0])
    }
  }

  /// It is told where an episode may begin, and goes on to be told there after a snapshot.
  @Test func onlyBeginningsAreToldTheirAge() throws {
    let size = 16
    let picture = Picture(height: size, width: size, red: 90, green: 200)
    let world = try SmallWorld.make(ages: 5).starting(from: [
      StartFrame(picture), StartFrame(picture, begins: false),
    ])
    var told = world.manifest.sampling
    told.tellsAge = true
    func frames(_ sampling: SamplingConfiguration, level: Int, restored: Bool = false) throws -> [[UInt8]] {
      var pool = GeneratedWorldPool(world, workers: Workers(count: 1), sampling: sampling)
      var slot = try pool.open(OpenOptions(horizon: 1_000))
      var batch = pool.makeBatch()
      try pool.reset([slot], [ResetOptions(seed: 3, level: level)], into: &batch)
      return try (0..<8).map { step in
        if restored, step == 2 {
          let kept = try pool.snapshot(slot)
          slot = try pool.open(OpenOptions(horizon: 1_000))
          try pool.reset([slot], [ResetOptions(seed: 3, level: 1 - level)], into: &batch)
          try pool.restore(slot, from: kept)
        }
        try pool.step([slot], [Int32(step % 5)], into: &batch)
        return batch.observations
      }
    }
    let (young, unknown) = (try frames(told, level: 0), try frames(told, level: 1))
    #expect(young != unknown)
    #expect(try frames(world.manifest.sampling, level: 0) == unknown)
    #expect(try frames(told, level: 0, restored: true) == young)
    #expect(try frames(told, level: 1, restored: true) == unknown)
  }

  @Test func snapshotsOfAnotherModelSayWhatDiffers() throws {
    let (pool, slot) = try begun(try SmallWorld.make(seed: 1), steps: 2)
    var (other, place) = try begun(try SmallWorld.make(seed: 2), steps: 2)
    let before = try other.snapshot(place)
    let strange = try pool.snapshot(slot)
    #expect(refusal(&other, place, strange).contains("model"))
    for (what, mend) in [
      ("precision", { $0.precision = "float8" }), ("instructions", { $0.instructions = "x86-64-v9" }),
    ] as [(String, (inout DreamSnapshotHeader) -> Void)] {
      var header = other.header
      mend(&header)
      var writer = SnapshotWriter()
      header.write(to: &writer)
      #expect(refusal(&other, place, writer.bytes).contains(what))
    }
    let after = try other.snapshot(place)
    #expect(after == before)
  }

  /// The words with which a snapshot is refused; empty where it is restored.
  private func refusal(_ pool: inout GeneratedWorldPool, _ slot: Slot, _ bytes: [UInt8]) -> String {
    do throws(EnvironmentError) {
      try pool.restore(slot, from: bytes)
      return ""
    } catch {
      if case .invalidSnapshot(let reason) = error { return reason }
      return ""
    }
  }

  @Test func damagedSnapshotsNeverTrap() throws {
    var (pool, slot) = try begun(try SmallWorld.make(), steps: 4)
    let snapshot = try pool.snapshot(slot)
    var random = SplitMix64(seed: 1)
    var batch = pool.makeBatch()
    for round in 0..<600 {
      var bytes = snapshot
      switch random.next(below: 3) {
      case 0: bytes.removeLast(random.next(in: 1...bytes.count))
      case 1: bytes.append(0)
      default:
        // The header, or anything.
        let reach = round % 2 == 0 ? min(200, bytes.count) : bytes.count
        bytes[random.next(below: reach)] ^= UInt8(random.next(in: 1...255))
      }
      do throws(EnvironmentError) {
        try pool.restore(slot, from: bytes)
        // Whatever was restored, the dream goes on.
        try pool.step([slot], [Int32(round % 5)], into: &batch)
      } catch {
        guard case .invalidSnapshot = error else { throw error }
      }
    }
    try pool.restore(slot, from: snapshot)
    let again = try pool.snapshot(slot)
    #expect(again == snapshot)
  }
}
