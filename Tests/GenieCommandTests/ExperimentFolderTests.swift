import Foundation
import ReinforcementLearning
import Reporting
import TestSupport
import Testing

@testable import genie

@Suite struct ExperimentFolderTests {
  /// Stages of other settings are not taken for this experiment's.
  @Test func anExperimentOfOtherSettingsIsNotGoneOnWith() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let url = temporary.file("out")
    func begin(_ settings: [String: String]) throws {
      _ = try ExperimentFolder(url: url, settings: settings, style: .quiet)
    }
    try begin(["steps": "100", "world": "a"])
    try begin(["steps": "100", "world": "a"])
    for other in [
      ["steps": "200", "world": "a"], ["steps": "100"], ["steps": "100", "world": "a", "horizon": "3"],
    ] {
      #expect {
        try begin(other)
      } throws: {
        let name = ($0 as? OtherSettings)?.name
        return name == (other["steps"] == "200" ? "steps" : other["horizon"] != nil ? "horizon" : "world")
      }
    }
  }

  private func report(_ returns: [Double]) throws -> EvaluationReport {
    try EvaluationReport(
      policy: "p", environment: "e",
      episodes: returns.enumerated().map { index, value in
        EpisodeResult(
          seed: 1, level: index, return: value, length: 1, terminated: true, success: value > 5)
      })
  }

  /// What a run has learned shows in all of its levels: two runs that differ are two observations, however many levels they play.
  @Test func intervalsAreOverRuns() throws {
    let runs = [
      try report([Double](repeating: 0, count: 50)), try report([Double](repeating: 10, count: 50)),
    ]
    #expect(runs.meanReturn == ScoreEstimate(value: 5, low: 0, high: 10))
    #expect(runs.success == ScoreEstimate(value: 0.5, low: 0, high: 1))
    let one = [try report([0, 10, 0, 10])]
    #expect(one.meanReturn.value == 5 && one.meanReturn.low < 5 && one.scores.all.count == 4)
  }
}
