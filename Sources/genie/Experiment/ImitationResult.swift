import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

/// What `genie experiment imitation` found.
struct ImitationResult {
  let world: World
  let suite: LevelSuite
  /// Of the expert, all without labels.
  let transitions: Int
  let samples: [Int]
  /// Of all transitions, those whose latent action is mapped to what was pressed, by the map of the most labels.
  var agreement = 0.0
  var random: EvaluationReport?
  /// A run a seed.
  var oracle: [EvaluationReport] = []
  /// By the number of labelled transitions.
  var imitated: [Int: [EvaluationReport]] = [:]

  init(world: World, suite: LevelSuite, transitions: Int, samples: [Int]) {
    self.world = world
    self.suite = suite
    self.transitions = transitions
    self.samples = samples
  }

  private var rows: [(name: String, runs: [EvaluationReport])] {
    samples.map { ("\($0) labelled transitions", imitated[$0] ?? []) } + [("oracle", oracle)]
      + (random.map { [("random", [$0])] } ?? [])
  }

  private var cells: [[String]] {
    rows.filter { !$0.runs.isEmpty }.map { name, runs in
      let (success, returns) = (runs.success, runs.meanReturn)
      return [
        name, "\(runs.count)", percent(success.value), "\(percent(success.low)) to \(percent(success.high))",
        decimal(returns.value), "\(decimal(returns.low)) to \(decimal(returns.high))",
      ]
    }
  }

  private static let header = ["policy", "runs", "reached the flag", "95%", "return", "95%"]

  var table: Table {
    var table = Table(Self.header)
    for row in cells { table.append(row) }
    return table
  }

  var figures: JSONReport {
    func both(_ runs: [EvaluationReport]) -> JSONValue {
      ["success": .estimate(runs.success), "return": .estimate(runs.meanReturn)]
    }
    return JSONReport([
      "imitation": .object([
        "success_by_samples": .object(
          Dictionary(
            uniqueKeysWithValues: samples.map { ("\($0)", JSONValue.estimate((imitated[$0] ?? []).success)) })
        ),
        "return_by_samples": .object(
          Dictionary(
            uniqueKeysWithValues: samples.map {
              ("\($0)", JSONValue.estimate((imitated[$0] ?? []).meanReturn))
            })),
        "oracle": both(oracle), "random": random.map { both([$0]) } ?? .null,
        "transitions": .integer(transitions), "agreement": .number(agreement),
        "seeds": .integer(oracle.count),
        "suite": [
          "name": .string(suite.record.name), "hash": .string(suite.hash), "levels": .integer(suite.count),
        ],
        "world": .object(world.manifest.hashes.mapValues { .string($0) }),
        "command": .string(CommandLine.arguments.dropFirst().joined(separator: " ")),
      ])
    ])
  }

  var page: Page {
    var page = Page(
      title: "Imitating an expert who is only watched", overline: world.manifest.name,
      lead:
        "The latent action model labelled \(transitions) transitions of an expert's video; a policy was cloned from "
        + "its labels. Only N transitions were ever labelled by a person, to tell which button a latent action is."
    )
    page.section(
      "Success against labelled transitions",
      "The share of \(suite.count) unseen levels whose flag was reached; the oracle was cloned from all true actions."
    )
    var chart = LineChart(title: "Levels whose flag was reached", x: "labelled transitions", range: 0...1)
    chart.append("imitation", samples.map { (Double($0), (imitated[$0] ?? []).success.value) })
    let ends = [Double(samples.first ?? 0), Double(samples.last ?? 1)]
    chart.append("oracle", ends.map { ($0, oracle.success.value) }, isDashed: true)
    if let random { chart.append("random", ends.map { ($0, [random].success.value) }, isDashed: true) }
    page.drawing("success", chart, alt: "Success against labelled transitions")
    page.table(Self.header, cells)
    page.definitions(
      [("levels", "\(suite.record.name) \(suite.record.version), hash \(suite.hash)")]
        + world.manifest.hashes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    return page
  }
}
