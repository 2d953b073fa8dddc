import Foundation
import Testing

@testable import ReinforcementLearning

/// The same statistics as Python's rliable 1.2 (Fixtures/statistics/rliable_golden.py), to 1e-6.
@Suite struct RliableTests {
  private struct Golden: Decodable {
    var mine: [[Double]]
    var theirs: [[Double]]
    var taus: [Double]
    var statistics: [String: Double]
    var profile: [Double]
    var improvement: Double
    /// `[resample][task][run]`
    var indices: [[[Int]]]
    /// `[resample]`: the four statistics, then the profile.
    var draws: [[Double]]
    var low: [Double]
    var high: [Double]
  }

  private let golden: Golden

  init() throws {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/statistics/rliable.json")
    golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
  }

  private func statistics(_ scores: Scores) -> [Double] {
    [scores.mean, scores.median, scores.interquartileMean, scores.optimalityGap(below: 1)]
      + scores.profile(above: golden.taus)
  }

  @Test func pointEstimatesAgree() {
    let scores = Scores(strata: golden.mine)
    let names = ["mean", "median", "interquartile_mean", "optimality_gap"]
    let expected = names.map { golden.statistics[$0]! } + golden.profile
    for (mine, theirs) in zip(statistics(scores), expected) { #expect(abs(mine - theirs) < 1e-6) }
    let improvement = scores.probabilityOfImprovement(over: Scores(strata: golden.theirs))
    #expect(abs(improvement - golden.improvement) < 1e-6)
  }

  @Test func resamplesAndTheirIntervalsAgree() {
    let scores = Scores(strata: golden.mine)
    let draws = golden.indices.map { statistics(scores.resampled($0)) }
    #expect(draws.count == golden.draws.count)
    for (mine, theirs) in zip(draws, golden.draws) {
      for (mine, theirs) in zip(mine, theirs) { #expect(abs(mine - theirs) < 1e-6) }
    }
    for (index, value) in statistics(scores).enumerated() {
      let interval = Scores.interval(value, draws.map { $0[index] }, 0.95)
      #expect(abs(interval.low - golden.low[index]) < 1e-6 && abs(interval.high - golden.high[index]) < 1e-6)
    }
  }

  @Test func profilesHaveIntervals() {
    let profile = Scores(strata: golden.mine).estimateOfProfile(above: golden.taus, resamples: 200)
    #expect(profile.map(\.value) == golden.profile)
    #expect(profile.allSatisfy { $0.low <= $0.value && $0.value <= $0.high })
    #expect(profile.contains { $0.low < $0.high })
  }
}
