import Environments
import Foundation
import Testing

@testable import ReinforcementLearning

@Suite struct ProctorTests {
  private let evaluation = Evaluation(seeds: [1, 2], levels: [3, 1], success: .episodeReturn(atLeast: 4))

  @Test func whoeverResetsGetsTheNextEpisodeWhateverWasAsked() throws {
    let proctor = Proctor(evaluation)
    var pool = ProctoredPool(GamePool(Levels()), proctor)
    var batch = pool.makeBatch()
    let slot = try pool.open(OpenOptions())
    while !proctor.isDone {
      try pool.reset([slot], [ResetOptions(seed: 99, level: 9)], into: &batch)
      repeat { try pool.step([slot], [2], into: &batch) } while !batch.terminated[0]
    }
    let results = proctor.episodes.map(\.result)
    #expect(results.map(\.seed) == [1, 1, 2, 2])
    #expect(results.map(\.length) == [3, 1, 3, 1])
    #expect(results.map(\.return) == [6, 2, 6, 2])
    #expect(results.map(\.success) == [true, false, true, false])
    #expect(proctor.episodes[0].actions == [2, 2, 2])
    #expect(throws: EnvironmentError.self) { try pool.reset([slot], [ResetOptions()], into: &batch) }
  }

  @Test func aBrokenOffEpisodeCountsAsItStands() throws {
    let proctor = Proctor(evaluation)
    var pool = ProctoredPool(GamePool(Levels()), proctor)
    var batch = pool.makeBatch()
    let slot = try pool.open(OpenOptions())
    try pool.reset([slot], [ResetOptions()], into: &batch)
    try pool.step([slot], [1], into: &batch)
    try pool.reset([slot], [ResetOptions()], into: &batch)
    #expect(proctor.episodes[0].isFinished && proctor.episodes[0].result.return == 1)
    #expect(!proctor.episodes[0].result.terminated && proctor.episodes[0].result.success == false)
    pool.close(slot)
    #expect(proctor.episodes[1].isFinished && !proctor.episodes[2].isFinished)
  }

  /// Who resets at once has not succeeded, whatever the rule; who is broken off is judged by the last reward there was.
  @Test func whoDoesNothingHasNotSucceeded() throws {
    let proctor = Proctor(Evaluation(seeds: [1, 2], levels: [3, 1], success: .lastReward(atLeast: 0)))
    var pool = ProctoredPool(GamePool(Levels()), proctor)
    var batch = pool.makeBatch()
    let slot = try pool.open(OpenOptions())
    try pool.reset([slot], [ResetOptions()], into: &batch)
    try pool.reset([slot], [ResetOptions()], into: &batch)
    try pool.step([slot], [1], into: &batch)
    try pool.reset([slot], [ResetOptions()], into: &batch)
    #expect(proctor.episodes.prefix(2).map(\.result.success) == [false, true])
  }

  @Test func whenAllAreGivenOutOthersPractise() throws {
    let proctor = Proctor(Evaluation(seeds: [1], levels: [2]))
    var pool = ProctoredPool(GamePool(Levels()), proctor)
    var batch = pool.makeBatch()
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
    try pool.reset(slots, [ResetOptions(), ResetOptions()], into: &batch)
    #expect(batch.faults == [nil, nil])
    try pool.step(slots, [1, 2], into: &batch)
    try pool.step(slots, [1, 2], into: &batch)
    #expect(proctor.isDone && proctor.episodes[0].result.return == 2)
  }

  @Test func anAgentCannotSnapshotItsWay() {
    #expect(!(ProctoredPool(GamePool(Levels()), Proctor(evaluation)) is any Snapshotting))
  }
}

@Suite struct LevelSuiteTests {
  private func record(_ name: String, split: LevelSuite.Split, levels: [Int]) -> LevelSuite.Record {
    LevelSuite.Record(
      name: name, split: split, environment: "Levels", origin: .numbers, levels: levels, seeds: [1, 2])
  }

  @Test func everyLevelIsPlayedWithEverySeed() throws {
    let suite = try LevelSuite(record("a", split: .test, levels: [4, 2]))
    #expect(suite.starts.map(\.level) == [4, 4, 2, 2])
    #expect(Set(suite.starts.map(\.seed)).count == 4)
    let results = try suite.evaluation.run(ConstantPolicy(action: 1), on: GamePool(Levels()))
    #expect(suite.placed(results).map(\.level) == [0, 0, 1, 1])
    #expect(suite.placed(results).map(\.return) == [4, 4, 2, 2])
  }

  @Test func aSuiteSurvivesItsFileAndNotItsChange() throws {
    let frame = Prompt(height: 2, width: 2, pixels: [UInt8](0..<12))
    var made = record("frames", split: .test, levels: [])
    made.origin = .pictures
    let suite = try LevelSuite(made, frames: [frame, frame])
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    try suite.write(to: url)
    #expect(try LevelSuite(contentsOf: url) == suite)
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: url)
    #expect(throws: LevelSuiteError.damaged(url.lastPathComponent)) { try LevelSuite(contentsOf: url) }
    try Data("nothing".utf8).write(to: url)
    #expect(throws: LevelSuiteError.self) { try LevelSuite(contentsOf: url) }
  }

  @Test func theHashTellsWhatIsPlayed() throws {
    let suite = try LevelSuite(record("a", split: .test, levels: [4, 2]))
    let other = try LevelSuite(record("a", split: .test, levels: [4, 3]))
    #expect(suite.hash != other.hash && suite.hash.count == 16)
    #expect(suite.shared(with: other) == 1)
    #expect(throws: LevelSuiteError.empty("b")) {
      try LevelSuite(record("b", split: .test, levels: []))
    }
  }
}
