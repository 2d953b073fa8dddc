import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

/// What `genie experiment transfer` found, as a terminal, a JSON file and a page show it.
struct TransferResult {
  /// Of one rule: a run a seed.
  struct Outcome {
    let rule: DreamRules
    /// In the real game, and in the dream by the rules of the training.
    var game: [EvaluationReport] = []
    var dream: [EvaluationReport] = []
    var policies: [(name: String, hash: String)] = []
    var curves: [[EventFile.Scalar]] = []
    var audit: DreamAudit?
  }

  /// The same learner in the real game.
  struct RealTraining {
    /// In file names.
    let name: String
    let title: String
    /// Whose cuts and limits end its episodes; nil leaves the game's own.
    var rule: DreamRules?
    /// A run a seed.
    var game: [EvaluationReport] = []
  }

  let world: World
  let suite: LevelSuite
  let steps: Int
  let seeds: Int
  var random: EvaluationReport?
  var randomLatent: EvaluationReport?
  var constant: (name: String, report: EvaluationReport)?
  var real: [RealTraining] = []
  var outcomes: [Outcome] = []
  var films: [Film] = []

  init(world: World, suite: LevelSuite, steps: Int, seeds: Int) {
    self.world = world
    self.suite = suite
    self.steps = steps
    self.seeds = seeds
  }

  /// What dreams are held against.
  private var bestReal: [EvaluationReport] {
    real.map(\.game).max { $0.meanReturn.value < $1.meanReturn.value } ?? []
  }

  /// Rows of runs, by what a reader calls them.
  private var rows: [(title: String, runs: [EvaluationReport], believed: [EvaluationReport])] {
    outcomes.map { ("dream only, rule \($0.rule.name)", $0.game, $0.dream) }
      + real.map { ($0.title, $0.game, []) }
      + [
        ("random actions", random), ("random latent actions", randomLatent),
        ("always \(constant?.name ?? "")", constant?.report),
      ].compactMap { title, report in report.map { (title, [$0], []) } }
  }

  private func ratio(_ outcome: Outcome) -> ScoreEstimate? {
    guard let random else { return nil }
    return outcome.game.scores.estimateOfShare(of: bestReal.scores, over: random.returns)
  }

  private var cells: [[String]] {
    rows.map { title, runs, believed in
      let estimate = runs.meanReturn
      let all = Scores(runs.flatMap { $0.returns.all })
      return [
        title, "\(runs.count)", decimal(estimate.value),
        "\(decimal(estimate.low)) to \(decimal(estimate.high))",
        decimal(all.interquartileMean), percent(runs.success.value),
        believed.isEmpty ? "" : decimal(believed.meanReturn.value),
        outcomes.first { $0.game.map(\.policy) == runs.map(\.policy) }.flatMap(ratio)
          .map { "\(decimal($0.value)) (\(decimal($0.low)) to \(decimal($0.high)))" } ?? "",
      ]
    }
  }

  private static let header = [
    "trained in", "runs", "return", "95%", "IQM", "flag", "believed", "share of real training",
  ]

  var table: Table {
    var table = Table(Self.header)
    for row in cells { table.append(row) }
    return table
  }

  var figures: JSONReport {
    var figures: [String: JSONValue] = [
      "steps": .integer(steps), "seeds": .integer(seeds),
      "return_real_trained": .estimate(bestReal.meanReturn),
      "world": .object(world.manifest.hashes.mapValues { .string($0) }),
      "labelled_transitions": .integer(world.manifest.actionMap?.samples ?? 0),
      "suite": [
        "name": .string(suite.record.name), "hash": .string(suite.hash), "levels": .integer(suite.count),
      ],
      "command": .string(CommandLine.arguments.dropFirst().joined(separator: " ")),
    ]
    if let random { figures["return_random"] = .estimate(random.meanReturn) }
    if let randomLatent { figures["return_random_latent"] = .estimate(randomLatent.meanReturn) }
    if let constant {
      figures["return_best_constant"] = .estimate(constant.report.meanReturn)
      figures["best_constant"] = .string(constant.name)
    }
    if let main = outcomes.first {
      figures["rule"] = .string(main.rule.name)
      figures["return_dream_trained"] = .estimate(main.game.meanReturn)
      figures["return_believed"] = .estimate(main.dream.meanReturn)
      if let ratio = ratio(main) { figures["ratio"] = .estimate(ratio) }
    }
    figures["real"] = .array(
      real.map { training in
        [
          "name": .string(training.name), "what": .string(training.title),
          "return": .estimate(training.game.meanReturn),
          "runs": .array(training.game.map { .estimate($0.meanReturn) }),
        ]
      })
    figures["rules"] = .array(
      outcomes.map { outcome in
        var own: [String: JSONValue] = [
          "rule": .string(outcome.rule.name), "what": .string(outcome.rule.summary),
          "return_dream_trained": .estimate(outcome.game.meanReturn),
          "return_believed": .estimate(outcome.dream.meanReturn),
          "runs": .array(outcome.game.map { .estimate($0.meanReturn) }),
          "policies": .object(
            Dictionary(uniqueKeysWithValues: outcome.policies.map { ($0.name, JSONValue.string($0.hash)) })),
        ]
        if let ratio = ratio(outcome) { own["ratio"] = .estimate(ratio) }
        if let audit = outcome.audit { own["audit"] = audit.figures }
        return .object(own)
      })
    return JSONReport(["transfer": .object(figures)])
  }

  var page: Page {
    var page = Page(
      title: "From the dream to the real game", overline: world.manifest.name,
      lead:
        "Policies that practised for \(steps) steps in a world learned from video without actions, put into the "
        + "real game unchanged, on \(suite.count) levels that were in no video.")
    page.section(
      "What they are worth",
      "Mean return in the real game with 95% intervals; what the policy believed it would earn, in its own dream; and "
        + "the share of the real training's gain over random actions that the dream gave.")
    page.table(Self.header, cells)
    page.films(films, name: "game")
    var chart = LineChart(title: "Return in the dream while learning", x: "steps")
    for outcome in outcomes.prefix(6) {
      if let curve = outcome.curves.first { chart.append(outcome.rule.name, Self.smoothed(curve)) }
    }
    page.section(
      "How they learned",
      "Mean return of the episodes that ended in a rollout, over steps of practice; seed 1.")
    page.drawing("curves", chart, alt: "Learning curves in the dream")
    let audits = outcomes.compactMap { outcome in outcome.audit?.row(outcome.rule.name) }
    if !audits.isEmpty {
      page.section(
        "What is wrong in the dream",
        "Every step of 32 dreams was held against what the game itself would have done in the picture before it, while "
          + "the policy of seed 1 played.")
      page.table(
        [
          "rule", "return", "length", "readable", "obeyed", "reward true", "reward found", "end true",
          "end found", "would be paid", "coins from nowhere", "columns closed",
        ], audits)
    }
    page.section("The rules", "How each policy was trained in the dream.")
    page.definitions(
      outcomes.map { ($0.rule.name, $0.rule.summary) } + [
        ("levels", "\(suite.record.name) \(suite.record.version), hash \(suite.hash)"),
        (
          "labels",
          "\(world.manifest.actionMap?.samples ?? 0) labelled transitions map latent actions to buttons"
        ),
      ] + world.manifest.hashes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    return page
  }

  private static func smoothed(_ points: [EventFile.Scalar]) -> [(x: Double, y: Double)] {
    points.indices.map { index in
      let near = points[max(0, index - 3)...min(points.count - 1, index + 3)]
      return (Double(points[index].step), near.reduce(0) { $0 + $1.value } / Double(near.count))
    }
  }
}
