import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

struct CorrelationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "correlation",
    abstract: "Asks whether a dream is a valid judge: whether it orders policies as the real game does.",
    discussion: """
      Policies of different quality (every stage of a training in the real game, constant and random actions) play levels \
      of the game, and dreams that start from the first frames of the same levels; in a dream they press the latent \
      actions of their buttons. Reported is Spearman's rank correlation of their mean returns. OUT keeps every stage.
      """)

  @OptionGroup var worldOptions: WorldOption

  @Option(help: ArgumentHelp("The folder to write to: index.html and correlation.json.", valueName: "folder"))
  var out: String

  @Option(help: "Steps of the training in the real game.")
  var steps = 100_000

  @Option(help: "Policies kept on the way.")
  var snapshots = 8

  @Option(help: "Levels that each policy plays in both.")
  var levels = 64

  @Option(help: "Steps after which an episode is cut, in both.")
  var horizon = 128

  @OptionGroup var sampling: SamplingOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...100).contains(snapshots), (2...10_000).contains(levels), (1...10_000).contains(horizon) else {
      throw ValidationError("--snapshots is 1 to 100, --levels 2 to 10000, --horizon 1 to 10000.")
    }
    let least = snapshots * PPOConfiguration().rolloutSize
    guard steps >= least else {
      throw ValidationError("--snapshots \(snapshots) needs --steps \(least) at least: one update each.")
    }
  }

  func run() throws {
    let ground = try Ground(sampling.applied(to: try worldOptions.load()))
    let folder = try ExperimentFolder(
      url: URL(filePath: out),
      settings: [
        "world": ground.world.identity, "steps": "\(steps)", "snapshots": "\(snapshots)",
        "horizon": "\(horizon)",
      ], style: output.progressStyle)
    let threads = folder.workers
    let actions = ground.specification.actionSpace
    let inverse = try ground.world.buttons
    let training = folder.url.appending(path: "real")
    let last = try Training(
      folder: training, configuration: PPOConfiguration(totalSteps: steps, seed: 1),
      style: output.progressStyle
    ).run(title: "real", snapshots: snapshots, workers: threads) { try ground.game() }

    var policies: [(name: String, policy: any Policy)] = [
      ("random", RandomPolicy(actionCount: actions.count))
    ]
    for action in actions.names.indices {
      policies.append(("always \(actions.names[action])", ConstantPolicy(action: Int32(action))))
    }
    for share in 0..<snapshots {
      let file = try PolicyFile(contentsOf: training.appending(path: "at-\(share)" + PolicyFile.suffix))
      policies.append(
        ("\(file.record.steps) steps", ActorCriticPolicy(file.network, choice: .sampled, workers: threads)))
    }
    policies.append(
      ("\(last.record.steps) steps", ActorCriticPolicy(last.network, choice: .sampled, workers: threads)))

    var game = try ground.suite(levels: levels).evaluation
    game.horizon = horizon
    let dream = Evaluation(starts: try firstFrames(game, ground), horizon: horizon)
    let pool = GeneratedWorldPool(ground.world, workers: threads)
    var result = CorrelationResult(world: ground.world, horizon: horizon)
    for (index, entry) in policies.enumerated() {
      let real = try folder.evaluated("\(index)-real", game, on: ground.game()) { entry.policy }
      let dreamt = try folder.evaluated("\(index)-dream", dream, on: pool) {
        Self.mapped(entry.policy, inverse)
      }
      result.rows.append((entry.name, real, dreamt))
    }
    print(result.table)
    try output.write(result.figures)
    let page = try result.page.write(to: folder.url, figures: result.figures, as: "correlation.json")
    print("report: \(page.relativePath)")
  }

  private static func mapped(_ policy: some Policy, _ map: ActionMap) -> any Policy {
    MappedPolicy(policy, map: map)
  }

  /// The same starts as the game's, as pictures.
  private func firstFrames(_ evaluation: Evaluation, _ ground: Ground) throws -> [Evaluation.Start] {
    var environment = try Environment(ground.game())
    defer { environment.close() }
    let space = ground.specification.observationSpace
    return try evaluation.starts.map { start in
      try environment.reset(ResetOptions(seed: start.seed, level: start.level))
      return Evaluation.Start(
        seed: start.seed,
        prompt: Prompt(height: space.height, width: space.width, pixels: Array(environment.observation)))
    }
  }
}

/// What `genie experiment correlation` found.
struct CorrelationResult {
  let world: World
  let horizon: Int
  var rows: [(name: String, real: EvaluationReport, dream: EvaluationReport)] = []

  init(world: World, horizon: Int) {
    self.world = world
    self.horizon = horizon
  }

  private var correlation: ScoreEstimate {
    RankCorrelation.estimate(
      rows.map { Scores($0.real.returns.all) }, rows.map { Scores($0.dream.returns.all) })
  }

  private var cells: [[String]] {
    rows.map { name, real, dream in
      [
        name, decimal(real.meanReturn.value),
        "\(decimal(real.meanReturn.low)) to \(decimal(real.meanReturn.high))",
        decimal(dream.meanReturn.value),
        "\(decimal(dream.meanReturn.low)) to \(decimal(dream.meanReturn.high))",
      ]
    }
  }

  private static let header = ["policy", "real return", "95%", "dream return", "95%"]

  private var sentence: String {
    let estimate = correlation
    return "Spearman's rank correlation over \(rows.count) policies is \(decimal(estimate.value)) "
      + "(95%: \(decimal(estimate.low)) to \(decimal(estimate.high)))."
  }

  var table: String {
    var table = Table(Self.header)
    for row in cells { table.append(row) }
    return "\(table)\n\(sentence)"
  }

  var figures: JSONReport {
    JSONReport([
      "evaluation": [
        "rank_correlation": .estimate(correlation), "horizon": .integer(horizon),
        "policies": .array(
          rows.map { name, real, dream in
            [
              "policy": .string(name), "real": .estimate(real.meanReturn),
              "dream": .estimate(dream.meanReturn),
            ]
          }),
        "world": .object(world.manifest.hashes.mapValues { .string($0) }),
        "command": .string(CommandLine.arguments.dropFirst().joined(separator: " ")),
      ]
    ])
  }

  var page: Page {
    var page = Page(
      title: "Is the dream a valid judge?", overline: world.manifest.name,
      lead:
        "\(rows.count) policies played the same levels twice: in the real game, and in dreams that start from the "
        + "levels' first frames, at most \(horizon) steps.")
    page.section("Dream against reality", sentence)
    var chart = LineChart(
      title: "Mean return in the dream, by mean return in the real game", x: "real return")
    let sorted = rows.sorted { $0.real.meanReturn.value < $1.real.meanReturn.value }
    chart.append("policies", sorted.map { ($0.real.meanReturn.value, $0.dream.meanReturn.value) })
    page.drawing("correlation", chart, alt: "Dream returns by real returns")
    page.table(Self.header, cells)
    page.definitions(world.manifest.hashes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    return page
  }
}
