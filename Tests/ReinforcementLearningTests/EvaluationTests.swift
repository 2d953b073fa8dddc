import Autograd
import Environments
import Foundation
import Testing

@testable import ReinforcementLearning

@Suite struct EvaluationTests {
  @Test func everyStartIsPlayedOnceInItsPlace() throws {
    let evaluation = Evaluation(
      seeds: [1, 2], levels: [5, 1, 3], success: .episodeReturn(atLeast: 6), slots: 2)
    let results = try evaluation.run(ConstantPolicy(action: 2), on: GamePool(Levels()))
    #expect(results.map(\.seed) == [1, 1, 1, 2, 2, 2])
    #expect(results.map(\.level) == [5, 1, 3, 5, 1, 3])
    #expect(results.map(\.length) == [5, 1, 3, 5, 1, 3])
    #expect(results.map(\.return) == [10, 2, 6, 10, 2, 6])
    #expect(results.map(\.success) == [true, false, true, true, false, true])
    #expect(results.allSatisfy { $0.terminated && $0.fault == nil })
  }

  @Test func anEpisodeDoesNotDependOnItsNeighbours() throws {
    let policy = RandomPolicy(actionCount: 3)
    let together = try Evaluation(seeds: 0..<8, levels: [9], slots: 3).run(policy, on: GamePool(Levels()))
    let alone = try Evaluation(seeds: [6], levels: [9], slots: 1).run(policy, on: GamePool(Levels()))
    #expect(together[6] == alone[0])
    #expect(Set(together.map(\.return)).count > 1)
  }

  @Test func aFailedStartIsAFaultOfItsEpisode() throws {
    let evaluation = Evaluation(seeds: [7], levels: [0, 0, 2, 0], slots: 1)
    let results = try evaluation.run(ConstantPolicy(action: 1), on: GamePool(Levels()))
    #expect(results.map { $0.fault == nil } == [false, false, true, false])
    #expect(results[2].return == 2)
    let report = try EvaluationReport(policy: "one", environment: "Levels", episodes: results)
    #expect(report.faults == 3 && report.meanReturn.value == 2)
    #expect(throws: ReportError.self) {
      try EvaluationReport(policy: "one", environment: "Levels", episodes: [results[0]])
    }
  }

  /// Whose environment has failed goes on in another one.
  @Test func aSlotThatIsLostIsReplaced() throws {
    let evaluation = Evaluation(seeds: 1..<7, levels: [3], slots: 2)
    let results = try evaluation.run(
      ConstantPolicy(action: 1), on: Breaking(base: GamePool(Levels()), seed: 2))
    #expect(results.map { $0.fault == nil } == [true, false, true, true, true, true])
    #expect(results[1].length == 0 && results.filter { $0.fault == nil }.allSatisfy { $0.return == 3 })
  }

  @Test func aHorizonCuts() throws {
    let evaluation = Evaluation(seeds: [7], levels: [9], horizon: 4, success: .lastReward(atLeast: 1))
    let results = try evaluation.run(ConstantPolicy(action: 1), on: GamePool(Levels()))
    #expect(results[0].length == 4 && !results[0].terminated && results[0].success == true)
  }

  @Test func aPolicyThatDoesNotFitIsAnError() {
    #expect(throws: EvaluationError.policy(.actionMismatch(policy: 4, environment: 3))) {
      try Evaluation(seeds: [1], levels: [1]).run(RandomPolicy(actionCount: 4), on: GamePool(Levels()))
    }
  }

  @Test func aReportSurvivesItsFile() throws {
    let evaluation = Evaluation(seeds: 0..<3, levels: [2, 4], success: .episodeReturn(atLeast: 3))
    let results = try evaluation.run(ConstantPolicy(action: 1), on: GamePool(Levels()))
    let report = try EvaluationReport(policy: "one", environment: "Levels", episodes: results)
    #expect(report.meanReturn == ScoreEstimate(value: 3, low: 3, high: 3))
    #expect(report.successRate?.value == 0.5)
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    try report.write(to: url)
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: url)) == report)
  }
}

/// Fails in the first step of the episode of a seed; its slot is gone then.
private struct Breaking: Wrapper {
  var base: any EnvironmentPool
  let seed: UInt64
  private var doomed: Slot?
  var specification: EnvironmentSpecification { base.specification }
  private var gone: Set<Slot> = []

  init(base: any EnvironmentPool, seed: UInt64) {
    self.base = base
    self.seed = seed
  }

  mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    if let lost = slots.first(where: gone.contains) { throw .unknownSlot(lost) }
    for (slot, option) in zip(slots, options) where option.seed == seed { doomed = slot }
    try base.reset(slots, options, into: &batch)
  }

  mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    if let lost = slots.first(where: gone.contains) { throw .unknownSlot(lost) }
    try base.step(slots, actions, into: &batch)
    guard let doomed, let row = slots.firstIndex(of: doomed) else { return }
    batch.faults[row] = .fault("it broke")
    gone.insert(doomed)
    self.doomed = nil
  }

  func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}
}
