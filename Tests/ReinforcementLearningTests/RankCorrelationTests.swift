import Testing

@testable import ReinforcementLearning

@Suite struct RankCorrelationTests {
  @Test func ordersAlikeAndAgainst() {
    #expect(RankCorrelation.spearman([1, 2, 3], [10, 100, 1000]) == 1)
    #expect(RankCorrelation.spearman([1, 2, 3], [3, 2, 1]) == -1)
    // scipy.stats.spearmanr([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]): equal values share their rank.
    #expect(abs(RankCorrelation.spearman([1, 2, 2, 4, 5], [5, 6, 7, 8, 7]) - 0.763_157_894_7) < 1e-9)
    #expect(RankCorrelation.spearman([1, 1], [1, 2]).isNaN)
  }

  @Test func anIntervalHoldsTheValue() {
    let xs = (0..<6).map { mean in Scores((0..<20).map { Double(mean) + Double($0 % 5) / 5 }) }
    let estimate = RankCorrelation.estimate(xs, xs, resamples: 100)
    #expect(estimate.value == 1 && estimate.low > 0.5 && estimate.high <= 1)
  }

  @Test func theShareOfAnothersGain() {
    let (mine, other, base) = (Scores([3, 3]), Scores([5, 5]), Scores([1, 1]))
    #expect(mine.estimateOfShare(of: other, over: base, resamples: 10)?.value == 0.5)
    // Of nothing there is no share.
    #expect(mine.estimateOfShare(of: base, over: base, resamples: 10) == nil)
    #expect(base.estimateOfShare(of: mine, over: other, resamples: 10) == nil)
  }
}
