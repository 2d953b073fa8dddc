import Foundation
import Reporting
import Safetensors

/// What an evaluation says about a policy: every episode, and the statistics of all of them.
public struct EvaluationReport: Codable, Sendable, Equatable {
  /// Such as a file's name, `random` or `constant 2`.
  public var policy: String
  public var environment: String
  public var episodes: [EpisodeResult]
  /// Of the returns of the episodes without a fault.
  public var meanReturn: ScoreEstimate
  public var interquartileMeanReturn: ScoreEstimate
  public var meanLength: Double
  /// The share of successes, where there is a rule for them.
  public var successRate: ScoreEstimate?
  /// Episodes in which the environment failed; they are in no statistic.
  public var faults: Int

  /// - Throws: ``ReportError/noEpisodes`` if none ended without a fault.
  public init(policy: String, environment: String, episodes: [EpisodeResult]) throws(ReportError) {
    let good = episodes.filter { $0.fault == nil }
    guard !good.isEmpty else { throw .noEpisodes(firstFault: episodes.first?.fault) }
    self.policy = policy
    self.environment = environment
    self.episodes = episodes
    faults = episodes.count - good.count
    let returns = Self.scores(good)
    meanReturn = returns.estimate { $0.mean }
    interquartileMeanReturn = returns.estimate { $0.interquartileMean }
    meanLength = Double(good.reduce(0) { $0 + $1.length }) / Double(good.count)
    let successes = good.compactMap(\.success).map { $0 ? 1.0 : 0 }
    successRate = successes.isEmpty ? nil : Scores(successes).estimate { $0.mean }
  }

  /// Returns as scores: one stratum for each level where levels were named, else one for all.
  private static func scores(_ episodes: [EpisodeResult]) -> Scores {
    let levels = Dictionary(grouping: episodes, by: \.level)
    // A level that was played once has no spread to draw from.
    guard levels.values.allSatisfy({ $0.count > 1 }) else { return Scores(episodes.map(\.return)) }
    return Scores(strata: levels.sorted { ($0.key ?? -1) < ($1.key ?? -1) }.map { $0.value.map(\.return) })
  }

  /// The returns of the episodes without a fault, for comparisons.
  public var returns: Scores { Self.scores(episodes.filter { $0.fault == nil }) }

  /// Indented JSON with sorted keys, written atomically.
  /// - Throws: `AtomicFileError`
  public func write(to url: URL) throws(AtomicFileError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(self) else { preconditionFailure("every report can be encoded") }
    try AtomicFile.write(Array(data) + [10], to: url)
  }

  /// Reports side by side, for a terminal.
  public static func table(_ reports: [EvaluationReport]) -> Table {
    var table = Table(["policy", "environment", "episodes", "return", "95%", "IQM", "length", "success"])
    for report in reports {
      table.append([
        report.policy, report.environment, "\(report.episodes.count)",
        String(format: "%.2f", report.meanReturn.value),
        String(format: "%.2f ... %.2f", report.meanReturn.low, report.meanReturn.high),
        String(format: "%.2f", report.interquartileMeanReturn.value),
        String(format: "%.0f", report.meanLength),
        report.successRate.map { String(format: "%.0f%%", 100 * $0.value) } ?? "",
      ])
    }
    return table
  }
}

/// Why there is nothing to report.
public enum ReportError: Error, Sendable, Equatable, CustomStringConvertible {
  case noEpisodes(firstFault: String?)

  public var description: String {
    switch self {
    case .noEpisodes(let fault): "no episode was played to its end" + (fault.map { ": \($0)" } ?? "")
    }
  }
}
