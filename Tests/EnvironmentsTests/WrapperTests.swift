import Testing

@testable import Environments

@Suite struct WrapperTests {
  @Test func theTimeLimitIsTheShortestOfAll() throws {
    var pool = TimeLimit(GamePool(Platformer()), steps: 3)
    #expect(pool.specification.horizon == 3)
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions(horizon: 2))]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(), ResetOptions()], into: &batch)
    try pool.step(slots, [0, 0], into: &batch)
    try pool.step(slots, [0, 0], into: &batch)
    #expect(batch.truncated == [false, true])
    try pool.step(slots, [0, 0], into: &batch)
    #expect(batch.truncated[0] && batch.faults[1] == .needsReset)
  }

  @Test func theGoalCutsAndDoesNotPay() throws {
    // The last step of a countdown pays 1 and ends it, as the others pay 1 and do not.
    func ending(_ goal: Float) throws -> StepBatch {
      var pool = GoalCut(GamePool(Countdown()), reward: goal)
      let slot = try pool.open(OpenOptions())
      var batch = pool.makeBatch()
      try pool.reset([slot], [ResetOptions(seed: 2)], into: &batch)
      try pool.step([slot], [0], into: &batch)
      #expect(batch.rewards == [1] && batch.terminated == [false] && batch.truncated == [false])
      try pool.step([slot], [0], into: &batch)
      let last = batch
      try pool.step([slot], [0], into: &batch)
      #expect(batch.faults == [.needsReset])
      return last
    }
    let cut = try ending(1)
    #expect(cut.rewards == [0] && cut.terminated == [false] && cut.truncated == [true])
    let other = try ending(2)
    #expect(other.rewards == [1] && other.terminated == [true] && other.truncated == [false])
  }

  @Test func framesAreStackedOldestFirst() throws {
    var pool = FrameStack(GamePool(Countdown()), frames: 3)
    #expect(pool.observationSpace == Box(height: 1, width: 2, channels: 9))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 5)], into: &batch)
    #expect(
      Array(batch.observations) == [5, 15, 25, 5, 15, 25, 5, 15, 25, 35, 45, 55, 35, 45, 55, 35, 45, 55])
    try pool.step([slot], [0], into: &batch)
    try pool.step([slot], [7], into: &batch)
    #expect(batch.faults[0] != nil)
    try pool.step([slot], [0], into: &batch)
    #expect(
      Array(batch.observations) == [5, 15, 25, 4, 14, 24, 3, 13, 23, 35, 45, 55, 34, 44, 54, 33, 43, 53])
    try pool.reset([slot], [ResetOptions(seed: 2)], into: &batch)
    #expect(batch.observations.prefix(9).elementsEqual([2, 12, 22, 2, 12, 22, 2, 12, 22]))
  }

  @Test func actionsStandForOthers() throws {
    let map = ActionMap(real: [5, 0, 2], names: ["up", "rest", "on"], samples: 0)
    var mapped = try MappedActions(GamePool(Platformer()), map: map)
    var game = GamePool(Platformer())
    #expect(mapped.actionSpace == Discrete(3, names: map.names))
    let (slot, other) = (try mapped.open(OpenOptions()), try game.open(OpenOptions()))
    var (batch, expected) = (mapped.makeBatch(), game.makeBatch())
    try mapped.reset([slot], [ResetOptions(seed: 4)], into: &batch)
    try game.reset([other], [ResetOptions(seed: 4)], into: &expected)
    for action: Int32 in [2, 2, 0, 1, 2] {
      try mapped.step([slot], [action], into: &batch)
      try game.step([other], [map(action)], into: &expected)
      #expect(batch.observations == expected.observations && batch.rewards == expected.rewards)
    }
    // The game has an action 3, this pool has none.
    try mapped.step([slot], [3], into: &batch)
    #expect(batch.faults[0] == .invalidAction(3, count: 3))
    for real: [Int32] in [[], [0, 6], [-1]] {
      #expect(throws: EnvironmentError.self) {
        try MappedActions(GamePool(Platformer()), map: ActionMap(real: real, samples: 0))
      }
    }
  }

  @Test func statisticsComeWithTheEnd() throws {
    var pool = EpisodeStatistics(GamePool(Countdown()))
    let slots = try (0..<2).map { _ in try pool.open(OpenOptions(auxiliaries: ["left", "episodeReturn"])) }
    var batch = pool.makeBatch()
    for _ in 0..<2 {
      try pool.reset(slots, [ResetOptions(seed: 2), ResetOptions(seed: 4)], into: &batch)
      try pool.step(slots, [0, 0], into: &batch)
      #expect(batch.auxiliaries["episodeReturn"].map { $0[0].isNaN } ?? true)
      try pool.step(slots, [0, 0], into: &batch)
      #expect(batch.auxiliaries["episodeReturn"]![0] == 2 && batch.auxiliaries["episodeLength"]![0] == 2)
      #expect(batch.auxiliaries["episodeReturn"]![1].isNaN && batch.auxiliaries["left"]![1] == 2)
    }
  }

  @Test func recordingHandsOverWholeEpisodes() throws {
    final class Shelf { var episodes: [RecordedEpisode] = [] }
    let shelf = Shelf()
    var pool = Recording(GamePool(Countdown())) { shelf.episodes.append($0) }
    let slots = [try pool.open(OpenOptions(auxiliaries: ["left"])), try pool.open(OpenOptions())]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(seed: 2), ResetOptions(seed: 9)], into: &batch)
    try pool.step(slots, [1, 5], into: &batch)
    try pool.step(slots, [0, 1], into: &batch)
    #expect(shelf.episodes.count == 1)
    let episode = try #require(shelf.episodes.first)
    #expect(episode.actions == [1, 0] && episode.rewards == [1, 1] && episode.seed == 2)
    #expect(episode.terminated && !episode.truncated && episode.frameCount == 3)
    #expect(stride(from: 0, to: 18, by: 6).map { episode.frames[$0] } == [2, 1, 0])
    #expect(episode.auxiliaries == ["left": [1, 0]])
    pool.close(slots[1])
    #expect(shelf.episodes.count == 2)
    #expect(shelf.episodes[1].actions == [1] && !shelf.episodes[1].terminated && !shelf.episodes[1].truncated)
  }

  /// A fork tells what its origin asked for, from its next reset on.
  @Test func forksAreRecordedAsTheirOrigins() throws {
    final class Shelf { var episodes: [RecordedEpisode] = [] }
    let shelf = Shelf()
    var pool = Recording(GamePool(Countdown())) { shelf.episodes.append($0) }
    let slot = try pool.open(OpenOptions(auxiliaries: ["left"]))
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 9)], into: &batch)
    let fork = try pool.fork(slot)
    try pool.reset([fork], [ResetOptions(seed: 1)], into: &batch)
    try pool.step([fork], [0], into: &batch)
    #expect(shelf.episodes.map(\.auxiliaries) == [["left": [0]]])
  }

  /// What is kept of a wrapped slot brings back the wrappers' own state too, in a fork as well.
  @Test func snapshotsGoThroughWrappers() throws {
    var pool = EpisodeStatistics(FrameStack(TimeLimit(GamePool(Countdown()), steps: 9), frames: 2))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 4)], into: &batch)
    try pool.step([slot], [0], into: &batch)
    let kept = try pool.snapshot(slot)
    func finish(_ slot: Slot) throws -> [StepBatch] {
      try (0..<3).map { _ in
        try pool.step([slot], [0], into: &batch)
        return batch
      }
    }
    let fork = try pool.fork(slot)
    let way = try finish(slot)
    #expect(way[2].auxiliaries["episodeLength"] == [4])
    func restored(_ slot: Slot) throws -> [StepBatch] {
      try pool.restore(slot, from: kept)
      return try finish(slot)
    }
    let again = [try finish(fork), try restored(slot), try restored(fork)]
    for other in again {
      #expect(other.map(\.observations) == way.map(\.observations))
      #expect(other[2].auxiliaries["episodeLength"] == [4] && other[2].auxiliaries["episodeReturn"] == [4])
    }
    try pool.restore(slot, from: kept)
    for broken in [[], [1, 2, 3], Array(kept.dropLast()), kept + [0]] {
      #expect(throws: EnvironmentError.self) { try pool.restore(slot, from: broken) }
    }
    #expect(try finish(slot)[2].auxiliaries["episodeLength"] == [4], "what was refused changed nothing")
  }

  @Test func whatCannotBeKeptSaysSo() throws {
    var pool = TimeLimit(Unkept(), steps: 3)
    let slot = try pool.open(OpenOptions())
    #expect(throws: EnvironmentError.unsupported("snapshots of Noop-v1")) { try pool.snapshot(slot) }
    #expect(throws: EnvironmentError.unsupported("snapshots of Noop-v1")) { try pool.fork(slot) }
  }

  /// Wrappers are pools: they nest, and a view takes them like any other.
  @Test func wrappersNest() throws {
    let pool = EpisodeStatistics(FrameStack(TimeLimit(GamePool(Platformer()), steps: 5), frames: 2))
    var environments = try VectorEnvironment(pool, count: 2, autoreset: .sameStep)
    var batch = environments.makeBatch()
    try environments.reset(seed: 0, into: &batch)
    for _ in 0..<5 { try environments.step([0, 0], into: &batch) }
    #expect(batch.truncated == [true, true] && batch.auxiliaries["episodeLength"] == [5, 5])
    #expect(batch.finalObservations[0]!.count == 64 * 64 * 6)
  }
}

/// A pool whose environments cannot be kept.
private struct Unkept: EnvironmentPool {
  private var pool = GamePool(Noop())

  var specification: EnvironmentSpecification { pool.specification }

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { try pool.open(options) }
  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) { try pool.reset(slots, options, into: &batch) }
  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) { try pool.step(slots, actions, into: &batch) }
  mutating func close(_ slot: Slot) { pool.close(slot) }
}
