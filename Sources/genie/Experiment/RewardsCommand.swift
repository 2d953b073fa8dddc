import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

struct RewardsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewards",
    abstract:
      "Trains a policy in a dream by each reward that needs no game: a goal's picture, novelty, an expert's video.",
    discussion: """
      `goal` leads to a picture (what the dream shows after some random actions, so that it can be reached), `novelty` to \
      what was not yet seen, `expert` to what an expert's video makes likely. Each policy is held against random actions \
      by the reward that it learned from, with films of what it learned. OUT keeps every stage.
      """)

  @OptionGroup var worldOptions: WorldOption

  @Option(help: ArgumentHelp("The folder to write to: index.html and rewards.json.", valueName: "folder"))
  var out: String

  @Option(help: "Steps of each training.")
  var steps = 40_000

  @Option(help: "Steps of an episode.")
  var horizon = 64

  @Option(help: "Episodes that each policy is judged on.")
  var episodes = 48

  @Option(help: "Episodes of the expert's video.")
  var video = 60

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (10...10_000).contains(episodes), (1...10_000).contains(horizon), (2...10_000).contains(video)
    else {
      throw ValidationError("--episodes is 10 to 10000, --horizon 1 to 10000, --video 2 to 10000.")
    }
  }

  func run() throws {
    let ground = try Ground(try worldOptions.load())
    let world = ground.world
    let folder = try ExperimentFolder(
      url: URL(filePath: out),
      settings: [
        "world": world.identity, "steps": "\(steps)", "horizon": "\(horizon)", "video": "\(video)",
      ], style: output.progressStyle)
    let threads = folder.workers
    let start = world.starting(from: [Self.picture(world.levels)])
    let goal = try Self.goal(start, steps: horizon / 4, workers: threads)
    let expert = try Cloning(ground: ground, folder: folder).cloned(
      "expert", from: try folder.video("expert-video", policy: .expert, episodes: video, seed: 4242),
      steps: 1000)

    var page = Page(
      title: "Rewards without a game", overline: world.manifest.name,
      lead: "Three policies, each trained for \(steps) steps in the dream by a reward that no game ever paid."
    )
    page.section("The goal", "What the policy of the first reward was shown.")
    page.picture("goal", goal.enlarged(by: 3), caption: "The picture to be reached, from one start.")
    var table = Table(["reward", "trained", "95%", "random", "95%", "probability of improvement"])
    var figures: [String: JSONValue] = [:]
    for name in ["goal", "novelty", "expert"] {
      let makePool: () throws -> any EnvironmentPool = {
        switch name {
        case "goal":
          GeneratedWorldPool(
            start, workers: threads, rewards: GoalReward(world.genie, goal: world.frames(showing: [goal])))
        case "novelty": GeneratedWorldPool(world, workers: threads, rewards: NoveltyReward(world.genie))
        default:
          try ExpertLikelihood(
            GeneratedWorldPool(world, workers: threads), expert: expert.network, workers: threads)
        }
      }
      let trained = try Training(
        folder: folder.url.appending(path: name), configuration: PPOConfiguration(totalSteps: steps, seed: 1),
        style: output.progressStyle
      ).run(title: name, horizon: horizon, workers: threads, pool: makePool)
      let policy = ActorCriticPolicy(trained.network, choice: .sampled, workers: threads)
      let evaluation = Evaluation(seeds: 1_000_000..<1_000_000 + UInt64(episodes), horizon: horizon)
      let own = try folder.evaluated(name, evaluation, on: try makePool()) { policy }
      let random = try folder.evaluated("\(name)-random", evaluation, on: try makePool()) {
        RandomPolicy(actionCount: world.actions)
      }
      let improvement = Scores(own.returns.all).estimateOfImprovement(over: Scores(random.returns.all))
      table.append([
        name, decimal(own.meanReturn.value),
        "\(decimal(own.meanReturn.low)) to \(decimal(own.meanReturn.high))",
        decimal(random.meanReturn.value),
        "\(decimal(random.meanReturn.low)) to \(decimal(random.meanReturn.high))",
        percent(improvement.value),
      ])
      figures[name] = [
        "trained": .estimate(own.meanReturn), "random": .estimate(random.meanReturn),
        "improvement": .estimate(improvement),
      ]
      page.section(
        name,
        "Return by this reward: \(decimal(own.meanReturn.value)), random actions \(decimal(random.meanReturn.value)); ahead "
          + "in \(percent(improvement.value)) of pairs of episodes.")
      page.films(try Film.record(evaluation, own.episodes, policy, try makePool()), name: name)
    }
    print(table)
    figures["command"] = .string(CommandLine.arguments.dropFirst().joined(separator: " "))
    let report = JSONReport(["rewards": .object(figures)])
    try output.write(report)
    print("report: \(try page.write(to: folder.url, figures: report, as: "rewards.json").relativePath)")
  }

  private static func picture(_ levels: FrameBatch) -> Picture {
    Picture(
      height: levels.height, width: levels.width,
      pixels: Array(levels.bytes.prefix(levels.height * levels.width * 3)))
  }

  /// What the dream shows after some random actions, each held for four steps.
  private static func goal(_ world: World, steps: Int, workers: Workers) throws -> Picture {
    var environment = try Environment(GeneratedWorldPool(world, workers: workers, rewards: NoRewards()))
    defer { environment.close() }
    try environment.reset(ResetOptions(seed: 3))
    let key = RandomKey(seed: 11)
    for step in 0..<max(1, steps) {
      _ = try environment.step(Int32(key.integer(UInt64(step / 4), below: world.actions)))
    }
    let space = environment.specification.observationSpace
    return Picture(height: space.height, width: space.width, pixels: Array(environment.observation))
  }
}
