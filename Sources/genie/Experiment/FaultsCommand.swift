import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

struct FaultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "Trains the learner in the real game with a dream's faults, and shows what each of them costs.",
    discussion: """
      The game itself is made to begin, to be cut and to end as dreams are, one condition at a time; what is learned \
      there then plays the game as it is, on unseen levels. So what a fault costs is told apart from all the others. OUT \
      keeps every stage, and ends with index.html and faults.json.
      """)

  @OptionGroup var worldOptions: WorldOption

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var out: String

  @Option(help: "Steps of each training.")
  var steps = 60_000

  @Option(help: "Trainings by each condition, with seeds from 1 on.")
  var seeds = 3

  @Option(help: "Unseen levels of the game that each policy plays.")
  var levels = 100

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Conditions to train by; all if none is named.", valueName: "condition"))
  var conditions: [String] = []

  @Option(help: "Share of the deaths that are not told.")
  var missed = 0.7

  @Option(help: "Share of the times that spikes are touched and do no harm.")
  var survived = 0.31

  @Option(help: "Share of the other steps that end an episode.")
  var invented = 0.004

  @Option(help: "Share of the steps further to the right than any before that come to a flag.")
  var flags = 0.007

  @Option(help: "Share of the levels whose flag is none.")
  var goalless = 0.46

  @Option(help: "Share of a level's columns that are closed from top to bottom.")
  var walls = 0.0034

  @Option(help: "Share of the steps that do what an action drawn by chance does.")
  var slips = 0.015

  @Option(
    help: ArgumentHelp(
      "In the air below something solid, shares of the jumps that end, of those that fall, and of the other steps that hover.",
      valueName: "ends,falls,hovers"))
  var hanging = "0.11,0.11,0.7"

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...100).contains(seeds), (10...10_000).contains(levels),
      [missed, survived, invented, flags, goalless, walls, slips].allSatisfy((0...1).contains)
    else {
      throw ValidationError(
        "--seeds is 1 to 100, --levels 10 to 10000, --missed, --survived, --invented, --flags, --goalless, --walls and --slips 0 to 1."
      )
    }
    guard hangingShares.count == 3, hangingShares.allSatisfy((0...1).contains) else {
      throw ValidationError("--hanging is three shares such as 0.11,0.11,0.7.")
    }
    let names = allConditions.map(\.name)
    if let unknown = conditions.first(where: { !names.contains($0) }) {
      throw ValidationError("No condition '\(unknown)'; there are: \(names.joined(separator: ", ")).")
    }
  }

  /// What training is like.
  private struct Condition {
    let name: String
    let what: String
    var game = FaultyGame()
    var codes = false
    /// How its episodes are cut, and when they are over.
    var rule = DreamRules(name: "plain", horizon: 128)
  }

  private var hangingShares: [Double] { hanging.split(separator: ",").map { Double($0) ?? .nan } }

  private var allConditions: [Condition] {
    let told = "\(percent(missed)) of the deaths are not told"
    let others = "\(decimal(1000 * invented)) of 1,000 other steps end it"
    let lucky = "\(decimal(1000 * flags)) of 1,000 steps further to the right come to a flag"
    let luck = FaultyGame(faults: .init(flags: flags))
    let closed = "\(decimal(1000 * walls)) of 1,000 columns are closed"
    let usual = DreamRules.all.first { $0.name == DreamRules.usual }!
    let limited = "cut after \(usual.horizon!) steps, over after \(usual.repeats!) that show nothing new"
    let goals = DreamRules(name: "cut", horizon: 128, cutsGoals: true)
    let slipping = "\(decimal(1000 * slips)) of 1,000 steps do what another action does"
    let seldom = "\(percent(goalless)) of the levels have no flag"
    let harmless = "spikes do no harm in \(percent(survived)) of the times"
    let shares = hangingShares
    let below =
      "in the air below bricks \(percent(shares[0])) of the jumps end it, \(percent(shares[1])) fall, \(percent(shares[2])) of the other steps hover"
    let hangs = FaultyGame.Hanging(ends: shares[0], falls: shares[1], hovers: shares[2])
    return [
      Condition(name: "plain", what: "from the beginnings of levels, cut after 128 steps"),
      Condition(name: "short", what: "cut after 64 steps", rule: DreamRules(name: "short", horizon: 64)),
      Condition(name: "long", what: "cut after 256 steps", rule: DreamRules(name: "long", horizon: 256)),
      Condition(name: "whole", what: "not cut", rule: DreamRules(name: "whole")),
      Condition(name: "codes", what: "pressed by the world's latent actions", codes: true),
      Condition(name: "missed", what: told, game: FaultyGame(faults: .init(missed: missed))),
      Condition(name: "invented", what: others, game: FaultyGame(faults: .init(invented: invented))),
      Condition(
        name: "both", what: "\(told), and \(others)",
        game: FaultyGame(faults: .init(missed: missed, invented: invented))),
      Condition(name: "luck", what: lucky, game: luck),
      Condition(name: "luck-cut", what: "\(lucky), and flags cut it, unpaid", game: luck, rule: goals),
      Condition(name: "cut", what: "flags cut it, unpaid", rule: goals),
      Condition(name: "limited", what: limited, rule: usual),
      Condition(
        name: "walls", what: "\(limited), and \(closed)", game: FaultyGame(faults: .init(walls: walls)),
        rule: usual),
      Condition(
        name: "hanging", what: "\(limited), and \(below)", game: FaultyGame(faults: .init(hanging: hangs)),
        rule: usual),
      Condition(
        name: "survived", what: "\(limited); \(harmless)",
        game: FaultyGame(faults: .init(survived: survived)), rule: usual),
      Condition(name: "slips", what: slipping, game: FaultyGame(faults: .init(slips: slips))),
      Condition(
        name: "dream", what: "\(limited); \(told), \(others), \(closed), \(slipping)",
        game: FaultyGame(
          faults: .init(missed: missed, invented: invented, walls: walls, slips: slips)), rule: usual),
      Condition(
        name: "goalless", what: "\(limited); \(seldom)", game: FaultyGame(faults: .init(goalless: goalless)),
        rule: usual),
      Condition(
        name: "all",
        what: "\(limited); \(harmless), \(others), \(seldom), \(closed), \(slipping), \(below)",
        game: FaultyGame(
          faults: .init(
            survived: survived, invented: invented, goalless: goalless, walls: walls, slips: slips,
            hanging: hangs)), rule: usual),
      Condition(name: "anywhere", what: "begun anywhere in a level", game: FaultyGame(startAnywhere: true)),
    ]
  }

  func run() throws {
    let ground = try Ground(try worldOptions.load())
    let folder = try ExperimentFolder(
      url: URL(filePath: out),
      settings: [
        "world": ground.world.identity, "steps": "\(steps)", "missed": "\(missed)", "invented": "\(invented)",
        "flags": "\(flags)", "walls": "\(walls)", "slips": "\(slips)",
        "hanging": hanging, "survived": "\(survived)", "goalless": "\(goalless)",
      ], style: output.progressStyle)
    let evaluation = try ground.suite(levels: levels).evaluation
    let header = ["condition", "what differs", "return by seed", "mean", "95%", "flag"]
    var table = Table(header)
    var cells: [[String]] = []
    var figures: [String: JSONValue] = [:]
    for condition in allConditions where conditions.isEmpty || conditions.contains(condition.name) {
      var runs: [EvaluationReport] = []
      for seed in 1...UInt64(seeds) {
        let name = "\(condition.name)-\(seed)"
        let file = try Training(
          folder: folder.url.appending(path: name),
          configuration: PPOConfiguration(totalSteps: steps, seed: seed), style: output.progressStyle
        ).run(title: name, horizon: condition.rule.horizon, workers: folder.workers) {
          let pool = condition.rule.ended(GamePool(condition.game))
          return try condition.codes ? MappedActions(pool, map: ground.map) : pool
        }
        let policy = ActorCriticPolicy(file.network, choice: .sampled, workers: folder.workers)
        runs.append(
          try folder.evaluated(name, evaluation, on: ground.game()) {
            if condition.codes { MappedPolicy(policy, map: ground.map) } else { policy }
          })
      }
      let mean = runs.meanReturn
      cells.append([
        condition.name, condition.what, runs.map { decimal($0.meanReturn.value) }.joined(separator: ", "),
        decimal(mean.value), "\(decimal(mean.low)) to \(decimal(mean.high))",
        percent(runs.success.value),
      ])
      figures[condition.name] = [
        "what": .string(condition.what), "return": .estimate(mean),
        "runs": .array(runs.map { .estimate($0.meanReturn) }),
      ]
    }
    for row in cells { table.append(row) }
    print(table)
    figures["command"] = .string(CommandLine.arguments.dropFirst().joined(separator: " "))
    let report = JSONReport(["faults": .object(figures)])
    try output.write(report)
    var page = Page(
      title: "What a dream's faults cost", overline: ground.specification.name,
      lead:
        "The same learner, \(steps) steps in the game itself under each condition; then \(levels) unseen levels."
    )
    page.section("Return in the game as it is", "What each condition is, is told in its row.")
    page.table(header, cells)
    print("report: \(try page.write(to: folder.url, figures: report, as: "faults.json").relativePath)")
  }
}
