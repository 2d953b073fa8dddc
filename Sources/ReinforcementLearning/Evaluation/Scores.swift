import Autograd
import Foundation

/// An estimate with the interval that holds it with 95% confidence (or another, where said).
public struct ScoreEstimate: Codable, Sendable, Equatable {
  public var value: Double
  public var low: Double
  public var high: Double

  public init(value: Double, low: Double, high: Double) {
    self.value = value
    self.low = low
    self.high = high
  }
}

/// Scores of one policy, and what may be said about it from a few of them (Agarwal et al. 2021).
///
/// Scores come in strata: one for each task (a level, a seed of the training), with one score for each run
/// of it. A bootstrap draws anew within each stratum, so that it never compares easy tasks with hard ones.
public struct Scores: Sendable, Equatable {
  public let strata: [[Double]]

  /// - Precondition: at least one stratum, and none empty.
  public init(strata: [[Double]]) {
    precondition(!strata.isEmpty && strata.allSatisfy { !$0.isEmpty }, "scores without a run")
    self.strata = strata
  }

  /// Scores of one stratum.
  public init(_ scores: [Double]) {
    self.init(strata: [scores])
  }

  public var all: [Double] { strata.flatMap { $0 } }

  public var mean: Double { all.reduce(0, +) / Double(all.count) }

  /// The mean of the middle half: a quarter of all scores, rounded down, is left out at either end.
  public var interquartileMean: Double {
    let sorted = all.sorted()
    let cut = sorted.count / 4
    let middle = sorted[cut..<sorted.count - cut]
    return middle.reduce(0, +) / Double(middle.count)
  }

  /// The median over the strata of their mean scores; of one stratum, that of its scores.
  public var median: Double {
    strata.count == 1
      ? Self.quantile(0.5, of: all.sorted())
      : Self.quantile(0.5, of: strata.map { $0.reduce(0, +) / Double($0.count) }.sorted())
  }

  /// How far the scores fall short of a good one, on average; what exceeds it makes up for nothing.
  /// - Parameter optimum: the score from which on more is not better.
  public func optimalityGap(below optimum: Double) -> Double {
    let all = all
    return optimum - all.reduce(0) { $0 + min($1, optimum) } / Double(all.count)
  }

  /// The share of runs that score more than each of some thresholds: the performance profile.
  public func profile(above thresholds: [Double]) -> [Double] {
    let all = all
    return thresholds.map { threshold in Double(all.count { $0 > threshold }) / Double(all.count) }
  }

  /// The probability that a run of this policy scores higher than one of another on the same task, chosen at
  /// random; equal scores count half (the Mann-Whitney statistic, averaged over strata).
  /// - Precondition: as many strata.
  public func probabilityOfImprovement(over other: Scores) -> Double {
    precondition(strata.count == other.strata.count, "\(strata.count) strata and \(other.strata.count)")
    let shares = zip(strata, other.strata).map { mine, theirs in
      let sorted = theirs.sorted()
      // Those below, and half of those that are equal.
      let wins = mine.reduce(0.0) { wins, score in
        let below = sorted.partitioningIndex { $0 >= score }
        let notAbove = sorted.partitioningIndex { $0 > score }
        return wins + Double(below + notAbove) / 2
      }
      return wins / Double(mine.count * theirs.count)
    }
    return shares.reduce(0, +) / Double(shares.count)
  }

  /// A statistic with its percentile interval, by stratified bootstrap.
  /// - Parameters:
  ///   - confidence: of the interval, in 0..<1.
  ///   - statistic: such as `\.mean`.
  public func estimate(
    resamples: Int = 2000, confidence: Double = 0.95, key: RandomKey = RandomKey(seed: 0),
    _ statistic: (Scores) -> Double
  ) -> ScoreEstimate {
    let draws = (0..<resamples).map { statistic(resampled(key.folded(in: UInt64($0)))) }
    return Self.interval(statistic(self), draws, confidence)
  }

  /// ``profile(above:)``, each share with its own interval.
  public func estimateOfProfile(
    above thresholds: [Double], resamples: Int = 2000, confidence: Double = 0.95,
    key: RandomKey = RandomKey(seed: 0)
  ) -> [ScoreEstimate] {
    let draws = (0..<resamples).map { resampled(key.folded(in: UInt64($0))).profile(above: thresholds) }
    return profile(above: thresholds).enumerated().map { index, value in
      Self.interval(value, draws.map { $0[index] }, confidence)
    }
  }

  /// ``probabilityOfImprovement(over:)`` with its interval: both policies' runs are drawn anew.
  public func estimateOfImprovement(
    over other: Scores, resamples: Int = 2000, confidence: Double = 0.95, key: RandomKey = RandomKey(seed: 0)
  ) -> ScoreEstimate {
    let draws = (0..<resamples).map { index in
      let own = key.folded(in: UInt64(index))
      return resampled(own).probabilityOfImprovement(over: other.resampled(own.folded(in: "other")))
    }
    return Self.interval(probabilityOfImprovement(over: other), draws, confidence)
  }

  /// How much of what another policy gains over a baseline this one gains: (mean - baseline) / (other - baseline). All
  /// three are drawn anew for the interval.
  /// - Returns: nil where it is not sure that the other gains anything: a share of that would be any number.
  public func estimateOfShare(
    of other: Scores, over baseline: Scores, resamples: Int = 2000, confidence: Double = 0.95,
    key: RandomKey = RandomKey(seed: 0)
  ) -> ScoreEstimate? {
    let draws = (0..<resamples).map { index in
      let own = key.folded(in: UInt64(index))
      let (drawn, others) = (resampled(own), other.resampled(own.folded(in: "other")))
      let base = baseline.resampled(own.folded(in: "base")).mean
      return (mine: drawn.mean - base, gain: others.mean - base)
    }
    let gains = draws.map(\.gain).sorted()
    guard other.mean > baseline.mean, Self.quantile((1 - confidence) / 2, of: gains) > 0 else { return nil }
    return Self.interval(
      (mean - baseline.mean) / (other.mean - baseline.mean),
      draws.map { $0.mine / $0.gain }.filter(\.isFinite),
      confidence)
  }

  static func interval(_ value: Double, _ draws: [Double], _ confidence: Double) -> ScoreEstimate {
    let sorted = draws.sorted()
    let tail = (1 - confidence) / 2
    return ScoreEstimate(value: value, low: quantile(tail, of: sorted), high: quantile(1 - tail, of: sorted))
  }

  /// As many scores of each stratum, drawn with replacement.
  func resampled(_ key: RandomKey) -> Scores {
    var counter: UInt64 = 0
    return resampled(
      strata.map { scores in
        scores.map { _ in
          counter += 1
          return key.integer(counter, below: scores.count)
        }
      })
  }

  /// - Parameter indices: which scores of each stratum are drawn.
  func resampled(_ indices: [[Int]]) -> Scores {
    Scores(strata: zip(strata, indices).map { scores, drawn in drawn.map { scores[$0] } })
  }

  /// Interpolated linearly between the two nearest of `sorted`.
  static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = share * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

extension [Double] {
  /// The first place of a sorted array from which on all satisfy a condition.
  fileprivate func partitioningIndex(_ isBeyond: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
