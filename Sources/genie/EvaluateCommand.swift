import AgentSDK
import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Plays policies in an environment and reports what they earned.",
    discussion: """
      A POLICY is a file (NAME.policy.safetensors), `random`, or `constant:N` for one action only. The environment \
      is a built-in game, a world's folder, or whatever a server offers (--endpoint). Intervals hold the true value \
      with 95% confidence. A policy that was trained in a dream plays the real game with --action-map WORLD.
      """)

  @Argument(help: ArgumentHelp("Files, `random`, or `constant:N`.", valueName: "policy"))
  var policies: [String]

  @Option(help: "A built-in game, a world's folder, or the name of what the endpoint serves.")
  var environment = "Platformer-v1"

  @Option(help: "A server to evaluate at, such as tcp://127.0.0.1:5555.")
  var endpoint: String?

  @Option(help: "Episodes, one for each seed from --seed on.")
  var episodes = 100

  @Option(help: "The first seed.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Cut episodes after so many steps; without it the environment's own horizon."))
  var horizon: Int?

  @Option(help: "How a policy file chooses: sampled, as in training, or greedy.")
  var choice = ActorCriticPolicy.Choice.sampled

  @Option(help: ArgumentHelp("The last reward from which on an episode is a success.", valueName: "reward"))
  var successReward: Float?

  @Option(help: ArgumentHelp("The world whose latent actions the policies choose.", valueName: "world"))
  var actionMap: String?

  @Option(
    help: ArgumentHelp(
      "Also write every episode to this folder, one JSON file a policy.", valueName: "folder"))
  var reports: String?

  @Option(help: "Episodes played at a time.")
  var slots = 16

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !policies.isEmpty else { throw ValidationError("Name at least one policy.") }
    guard (1...1_000_000).contains(episodes) else { throw ValidationError("--episodes is 1 to 1000000.") }
    guard (1...1024).contains(slots) else { throw ValidationError("--slots is 1 to 1024.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let threads = Workers(count: workers)
    let map = try actionMap.map { try loadMap($0) }
    let last = seed.addingReportingOverflow(UInt64(episodes))
    guard !last.overflow else { throw ValidationError("--seed is too large for so many episodes.") }
    let evaluation = Evaluation(
      seeds: seed..<last.partialValue, horizon: horizon,
      success: successReward.map { .lastReward(atLeast: $0) }, slots: slots)
    var results: [EvaluationReport] = []
    for name in policies {
      let pool = try makePool(threads)
      let policy = try makePolicy(name, pool.specification, map, threads)
      let bar = ProgressBar(name, total: episodes, unit: "episodes", style: output.progressStyle)
      let played = try evaluation.run(policy, on: pool) { bar.update(to: $0) }
      bar.finish()
      results.append(
        try EvaluationReport(policy: name, environment: pool.specification.name, episodes: played))
    }
    print(EvaluationReport.table(results))
    if let reports { try write(results, to: URL(filePath: reports)) }
    try output.write(json(results))
  }

  private func makePool(_ threads: Workers) throws -> any EnvironmentPool {
    if let endpoint { return try RemotePool(endpoint, environment: environment) }
    let games = EnvironmentCatalogue.builtIn
    if games.names.contains(environment) { return try games.makePool(environment) }
    guard FileManager.default.fileExists(atPath: environment) else {
      throw EnvironmentError.unknownEnvironment(environment, offered: games.names)
    }
    return GeneratedWorldPool(try World(URL(filePath: environment)), workers: threads)
  }

  private func makePolicy(
    _ name: String, _ specification: EnvironmentSpecification, _ map: ActionMap?, _ threads: Workers
  ) throws -> any Policy {
    func mapped(_ policy: some Policy) -> any Policy {
      if let map { return MappedPolicy(policy, map: map) }
      return policy
    }
    if name == "random" {
      return mapped(RandomPolicy(actionCount: map?.real.count ?? specification.actionSpace.count))
    }
    if name.hasPrefix("constant:") {
      guard let action = Int32(name.dropFirst("constant:".count)) else {
        throw ValidationError("'\(name)': an action is a number.")
      }
      return mapped(ConstantPolicy(action: action))
    }
    let file = try PolicyFile(contentsOf: URL(filePath: name))
    return mapped(ActorCriticPolicy(file.network, choice: choice, workers: threads))
  }

  private func loadMap(_ path: String) throws -> ActionMap {
    guard let map = try World(URL(filePath: path)).manifest.actionMap else {
      throw ValidationError("\(path) holds no action map: it was trained on video without actions.")
    }
    return map
  }

  private func write(_ results: [EvaluationReport], to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (index, report) in results.enumerated() {
      let name = URL(filePath: report.policy).lastPathComponent.replacing(":", with: "-")
      try report.write(to: folder.appending(path: "\(index)-\(name).json"))
    }
  }

  private func json(_ results: [EvaluationReport]) -> JSONReport {
    let policies = results.map { report in
      var figures = report.figures
      if let first = results.first, first != report {
        figures["improvement_over_first"] = .estimate(
          report.returns.estimateOfImprovement(over: first.returns))
      }
      return JSONValue.object(figures)
    }
    return JSONReport([
      "evaluation": ["first_seed": .string("\(seed)"), "policies": .array(policies)]
    ])
  }
}

extension ActorCriticPolicy.Choice: ExpressibleByArgument {}
