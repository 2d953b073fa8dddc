import Autograd

/// Whether two judges order the same candidates alike.
public enum RankCorrelation {
  /// Spearman's coefficient: the correlation of ranks, equal values sharing their mean rank; -1...1, not a number where
  /// one side has no order at all.
  public static func spearman(_ xs: [Double], _ ys: [Double]) -> Double {
    precondition(xs.count == ys.count, "\(xs.count) values and \(ys.count)")
    let (a, b) = (ranks(xs), ranks(ys))
    let mean = Double(a.count - 1) / 2
    var (along, aa, bb) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      along += (x - mean) * (y - mean)
      aa += (x - mean) * (x - mean)
      bb += (y - mean) * (y - mean)
    }
    return along / (aa * bb).squareRoot()
  }

  /// Of the means of candidates' scores, with an interval over resampled scores.
  public static func estimate(
    _ xs: [Scores], _ ys: [Scores], resamples: Int = 2000, key: RandomKey = RandomKey(seed: 0)
  ) -> ScoreEstimate {
    let draws = (0..<resamples).map { index in
      let own = key.folded(in: UInt64(index))
      return spearman(
        xs.enumerated().map { $1.resampled(own.folded(in: UInt64(2 * $0))).mean },
        ys.enumerated().map { $1.resampled(own.folded(in: UInt64(2 * $0 + 1))).mean })
    }
    return Scores.interval(
      spearman(xs.map(\.mean), ys.map(\.mean)), draws.filter(\.isFinite), 0.95)
  }

  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 }
      first = last + 1
    }
    return ranks
  }
}
