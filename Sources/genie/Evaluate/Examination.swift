import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Safetensors

/// What policies earned over the same episodes, as a terminal, a JSON file and a page show it.
struct Examination {
  struct Entry {
    let name: String
    /// Of the policy's file; nil where there is none.
    let hash: String?
    let report: EvaluationReport
    let films: [Film]
  }

  let environment: String
  let suite: LevelSuite?
  /// The dreamt world's, where it is one.
  let world: World?
  let entries: [Entry]

  /// Thresholds of the performance profile.
  private var thresholds: [Double] {
    let all = entries.flatMap(\.report.returns.all)
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    return (0...40).map { low + (high - low) * Double($0) / 40 }
  }

  private func profile(_ entry: Entry) -> [ScoreEstimate] {
    entry.report.returns.estimateOfProfile(above: thresholds)
  }

  private func gap(_ entry: Entry) -> ScoreEstimate? {
    suite?.record.optimum.map { optimum in
      entry.report.returns.estimate { $0.optimalityGap(below: optimum) }
    }
  }

  var figures: JSONReport {
    let policies = entries.map { entry in
      var figures = entry.report.figures
      figures["policy_hash"] = entry.hash.map { .string($0) }
      figures["median_return"] = .estimate(entry.report.returns.estimate { $0.median })
      if let gap = gap(entry) { figures["optimality_gap"] = .estimate(gap) }
      figures["performance_profile"] = .array(
        zip(thresholds, profile(entry)).map { threshold, share in
          ["above": .number(threshold), "share": .estimate(share)]
        })
      if let first = entries.first, first.name != entry.name {
        figures["improvement_over_first"] = .estimate(
          entry.report.returns.estimateOfImprovement(over: first.report.returns))
      }
      return JSONValue.object(figures)
    }
    var report = JSONReport([
      "evaluation": ["environment": .string(environment), "policies": .array(policies)]
    ])
    if let suite {
      report["evaluation", "suite"] = [
        "name": .string(suite.record.name), "version": .integer(suite.record.version),
        "hash": .string(suite.hash),
        "split": .string(suite.record.split.rawValue), "origin": .string(suite.record.origin.rawValue),
        "levels": .integer(suite.count), "seeds": .integer(suite.record.seeds.count),
      ]
    }
    if let world {
      report["evaluation", "world"] = .object([
        "name": .string(world.manifest.name),
        "hashes": .object(world.manifest.hashes.mapValues { .string($0) }),
      ])
    }
    return report
  }

  var page: Page {
    let episodes = entries.first?.report.episodes.count ?? 0
    var page = Page(
      title: entries.count == 1 ? "What one policy earned" : "What \(entries.count) policies earned",
      overline: suite.map { "\($0.record.name) \($0.record.version)" } ?? environment,
      lead: "\(episodes) episodes each in \(environment).")
    page.section(
      "Scores", "Intervals hold the true value with 95% confidence: 2000 stratified bootstrap resamples.")
    page.table(
      ["policy", "mean", "95%", "IQM", "95%", "optimality gap", "length", "success"],
      entries.map { entry in
        let report = entry.report
        return [
          entry.name, decimal(report.meanReturn.value), interval(report.meanReturn),
          decimal(report.interquartileMeanReturn.value), interval(report.interquartileMeanReturn),
          gap(entry).map { decimal($0.value) } ?? "", "\(Int(report.meanLength.rounded()))",
          report.successRate.map { percent($0.value) } ?? "",
        ]
      })
    var chart = LineChart(title: "Share of episodes that return more", x: "return", range: 0...1)
    for entry in entries.prefix(6) {
      chart.append(entry.name, zip(thresholds, profile(entry)).map { ($0, $1.value) })
    }
    page.section(
      "Performance profile",
      "How large a share of the episodes returns more than so much; higher is better everywhere.")
    page.drawing("profile", chart, alt: "Performance profiles")
    if let first = entries.first, entries.count > 1 {
      page.section(
        "Probability of improvement",
        "That an episode returns more than one of \(first.name), on the same level where each was played more than once; "
          + "equal ones count half.")
      page.table(
        ["policy", "over \(first.name)", "95%"],
        entries.dropFirst().map { entry in
          let improvement = entry.report.returns.estimateOfImprovement(over: first.report.returns)
          return [entry.name, percent(improvement.value), interval(improvement)]
        })
    }
    for (index, entry) in entries.enumerated() where !entry.films.isEmpty {
      page.section(entry.name, "Its best, its median and its worst episode.")
      page.films(entry.films, name: "policy-\(index)")
    }
    page.section("What was played", "Whoever has the same hashes plays the same episodes.")
    var rows = [("environment", environment)]
    if let suite {
      rows += [
        ("suite", "\(suite.record.name), version \(suite.record.version), \(suite.record.split.rawValue)"),
        ("hash", suite.hash),
        (
          "levels", "\(suite.count) (\(suite.record.origin.rawValue)), \(suite.record.seeds.count) seeds each"
        ),
      ]
    }
    for (file, hash) in (world?.manifest.hashes ?? [:]).sorted(by: { $0.key < $1.key }) {
      rows.append((file, hash))
    }
    for entry in entries { if let hash = entry.hash { rows.append((entry.name, hash)) } }
    page.definitions(rows)
    return page
  }

  private func interval(_ estimate: ScoreEstimate) -> String {
    "\(decimal(estimate.low)) to \(decimal(estimate.high))"
  }

  /// Of a policy's file.
  static func hash(_ path: String) -> String? {
    (try? Data(contentsOf: URL(filePath: path))).map { ContentHash($0).description }
  }
}
