import Autograd
import Testing

@testable import ReinforcementLearning

@Suite struct ScoresTests {
  @Test func meanAndInterquartileMeanByHand() {
    // Of 9 scores, 2 are left out at either end: 3, 4, 5, 6, 7 remain.
    let scores = Scores([9, 1, 8, 2, 7, 3, 6, 4, 500])
    #expect(scores.interquartileMean == 5.6)
    #expect(scores.mean == 60)
    #expect(Scores([5]).interquartileMean == 5)
    #expect(Scores(strata: [[1, 2], [3, 100]]).interquartileMean == 2.5)
  }

  @Test func probabilityOfImprovementByHand() {
    // First task: of 4 pairs 3 > 1, 3 > 2 win and 2 = 2 ties, 2 > 1 wins: 0.875. Second: 0 of 1.
    let mine = Scores(strata: [[3, 2], [0]])
    let theirs = Scores(strata: [[1, 2], [1]])
    #expect(mine.probabilityOfImprovement(over: theirs) == 0.4375)
    #expect(mine.probabilityOfImprovement(over: mine) == 0.5)
  }

  /// Of levels that were each played once, the median over the episodes, and not their mean.
  @Test func theMedianOfOneStratum() {
    #expect(Scores([9, 1, 100]).median == 9)
    #expect(Scores(strata: [[1, 3], [10, 20], [100, 100]]).median == 15)
  }

  @Test func improvementOfManyScoresIsQuick() {
    let key = RandomKey(seed: 1)
    let mine = (0..<20_000).map { Double(key.integer(UInt64($0), below: 50)) }
    let improvement = Scores(mine).probabilityOfImprovement(over: Scores(mine.map { $0 - 1 }))
    // Counted by value, instead of by pair.
    let counts = Dictionary(mine.map { ($0, 1.0) }) { $0 + $1 }
    let expected = counts.reduce(0.0) { sum, one in
      sum
        + one.value
        * counts.reduce(0.0) { $0 + $1.value * (one.key > $1.key - 1 ? 1 : one.key == $1.key - 1 ? 0.5 : 0) }
    }
    #expect(abs(improvement - expected / 4e8) < 1e-9)
  }

  @Test func quantilesAreInterpolated() {
    #expect(Scores.quantile(0.25, of: [1, 2, 3, 5]) == 1.75)
    #expect(Scores.quantile(1, of: [1, 2, 3, 5]) == 5)
    #expect(Scores.quantile(0, of: [7]) == 7)
  }

  @Test func intervalsHaveTheWidthOfTheTheory() {
    // The mean of 400 normal scores: its deviation is 0.05, so the interval is about 0.196 wide.
    let key = RandomKey(seed: 8)
    let scores = Scores((0..<400).map { Double(key.normal(UInt64($0))) })
    let estimate = scores.estimate { $0.mean }
    #expect(estimate.value == scores.mean)
    #expect(estimate.low < estimate.value && estimate.value < estimate.high)
    #expect(abs(estimate.high - estimate.low - 0.196) < 0.03)
  }

  @Test func strataAreDrawnEachForItself() {
    // Within each task all runs agree: nothing is uncertain, however far the tasks are apart.
    let scores = Scores(strata: [[1, 1, 1], [100, 100, 100]])
    let estimate = scores.estimate(resamples: 100) { $0.mean }
    #expect(estimate == ScoreEstimate(value: 50.5, low: 50.5, high: 50.5))
    let improvement = scores.estimateOfImprovement(over: Scores(strata: [[0, 0], [0, 0]]), resamples: 100)
    #expect(improvement == ScoreEstimate(value: 1, low: 1, high: 1))
  }
}
