import AgentSDK
import ArgumentParser
import Autograd
import ClientOptions
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Plays policies in an environment, or over a suite of levels, and reports what they earned.",
    discussion: """
      A POLICY is a file (NAME.policy.safetensors), `random`, or `constant:N` for one action only. The environment \
      is a built-in game, a world's folder, or whatever a server offers (--endpoint). Intervals hold the true value \
      with 95% confidence. A policy that was trained in a dream plays the real game with --action-map WORLD.

      With --suite the episodes are those of a suite (genie suite). With --serve the suite is served at --endpoint \
      instead, to any agent in any language: each reset gives it the suite's next level, what it does is recorded \
      here, and when all episodes are done the same report is written and the server stops.
      """)

  @Argument(help: ArgumentHelp("Files, `random`, or `constant:N`.", valueName: "policy"))
  var policies: [String] = []

  @Option(
    help:
      "A built-in game, a world's folder, or the name of what the endpoint serves. (default: Platformer-v1)")
  var environment: String?

  @Option(help: "A server to evaluate at, such as tcp://127.0.0.1:5555; with --serve, where to serve.")
  var endpoint: String?

  @OptionGroup var keys: KeyOptions

  @Option(help: ArgumentHelp("Play the levels of this suite.", valueName: "file"))
  var suite: String?

  @Option(
    help: ArgumentHelp(
      "Serve this suite to an agent at --endpoint and report on the agent.", valueName: "suite"))
  var serve: String?

  @Option(help: ArgumentHelp("Also write a page with plots and films.", valueName: "folder"))
  var html: String?

  @Option(help: "Episodes, one for each seed from --seed on. (default: 100)")
  var episodes: Int?

  @Option(help: "The first seed. (default: 0)")
  var seed: UInt64?

  @Option(help: ArgumentHelp("Cut episodes after so many steps; without it the environment's own horizon."))
  var horizon: Int?

  @Option(help: "How a policy file chooses: sampled, as in training, or greedy. (default: sampled)")
  var choice: ActorCriticPolicy.Choice?

  @Option(help: ArgumentHelp("The last reward from which on an episode is a success.", valueName: "reward"))
  var successReward: Float?

  @Option(help: ArgumentHelp("The world whose latent actions the policies choose.", valueName: "world"))
  var actionMap: String?

  @Option(
    help: ArgumentHelp(
      "Also write every episode to this folder, one JSON file a policy.", valueName: "folder"))
  var reports: String?

  @Option(help: "Episodes played at a time. (default: 16)")
  var slots: Int?

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard policies.isEmpty == (serve != nil) else {
      throw ValidationError("Name at least one policy, or --serve a suite to an agent.")
    }
    guard serve == nil || endpoint != nil else { throw ValidationError("--serve needs an --endpoint.") }
    try keys.check(endpoint: serve == nil ? endpoint : nil)
    guard serve == nil || suite == nil else {
      throw ValidationError("--suite and --serve exclude each other.")
    }
    guard suite == nil || endpoint == nil else {
      throw ValidationError("A suite is played here: without --endpoint.")
    }
    guard serve == nil || (actionMap == nil && choice == nil && slots == nil) else {
      throw ValidationError(
        "An agent that is served to chooses by itself: without --action-map, --choice and --slots.")
    }
    let isSuite = suite != nil || serve != nil
    guard !isSuite || (episodes == nil && seed == nil && horizon == nil && successReward == nil) else {
      throw ValidationError(
        "A suite says itself which episodes are played, how long, and what is a success: without --episodes, --seed, "
          + "--horizon and --success-reward.")
    }
    guard (1...1_000_000).contains(episodes ?? 100) else {
      throw ValidationError("--episodes is 1 to 1000000.")
    }
    guard (1...1024).contains(slots ?? 16) else { throw ValidationError("--slots is 1 to 1024.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let threads = Workers(count: workers)
    let place = try EvaluationPlace(
      environment: environment, endpoint: serve == nil ? endpoint : nil, keys: try keys.keys(),
      suite: (suite ?? serve).map { try LevelSuite(contentsOf: URL(filePath: $0)) }, workers: threads)
    if serve != nil, let endpoint {
      try conclude(try ServedExamination(place, endpoint: endpoint, style: output.progressStyle).run())
      return
    }
    let evaluation = try self.evaluation(place.suite)
    let map = try actionMap.map { try loadMap($0) }
    let specification = try place.makePool().specification
    // What is wrong is found before hours of play.
    let channels = specification.observationSpace.channels
    guard html == nil || channels == 3 else {
      throw ValidationError("--html draws films of RGB frames, and these have \(channels) channels.")
    }
    let players = try policies.map { name in
      let policy = try PolicyChoice(name).policy(
        specification, map: map, choice: choice ?? .sampled, workers: threads)
      try policy.check(specification)
      return (name, policy)
    }
    var entries: [Examination.Entry] = []
    for (name, policy) in players {
      let pool = try place.makePool()
      let bar = ProgressBar(
        name, total: evaluation.starts.count, unit: "episodes", style: output.progressStyle)
      let played = try evaluation.run(policy, on: pool) { bar.update(to: $0) }
      bar.finish()
      let report = try EvaluationReport(
        policy: name, environment: pool.specification.name, episodes: place.suite?.placed(played) ?? played)
      let films = html == nil ? [] : try Film.record(evaluation, played, policy, pool)
      entries.append(
        Examination.Entry(name: name, hash: Examination.hash(name), report: report, films: films))
    }
    try conclude(
      Examination(environment: place.name, suite: place.suite, world: place.world, entries: entries))
  }

  private func evaluation(_ suite: LevelSuite?) throws -> Evaluation {
    if let suite {
      var evaluation = suite.evaluation
      evaluation.slots = slots ?? 16
      return evaluation
    }
    let first = seed ?? 0
    let last = first.addingReportingOverflow(UInt64(episodes ?? 100))
    guard !last.overflow else { throw ValidationError("--seed is too large for so many episodes.") }
    return Evaluation(
      seeds: first..<last.partialValue, horizon: horizon,
      success: successReward.map { .lastReward(atLeast: $0) }, slots: slots ?? 16)
  }

  private func conclude(_ examination: Examination) throws {
    print(EvaluationReport.table(examination.entries.map(\.report)))
    if let reports { try write(examination.entries.map(\.report), to: URL(filePath: reports)) }
    var figures = examination.figures
    if examination.suite == nil { figures["evaluation", "first_seed"] = .string("\(seed ?? 0)") }
    try output.write(figures)
    if let html {
      print("report: \(try examination.page.write(to: URL(filePath: html), figures: figures).relativePath)")
    }
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
}

extension ActorCriticPolicy.Choice: ExpressibleByArgument {}
