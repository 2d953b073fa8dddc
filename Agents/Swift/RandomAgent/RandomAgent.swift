import AgentSDK
import ArgumentParser
import ClientOptions
import Environments
import Foundation
import ReinforcementLearning
import Reporting

/// Plays at random: the smallest agent there is, and what every other one has to beat.
@main
struct RandomAgent: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "RandomAgent", abstract: "Plays the environments behind an endpoint at random.")

  @Option(help: "Where the server is, such as tcp://127.0.0.1:5555 or ipc:///run/genie.sock.")
  var endpoint: String

  @OptionGroup var keys: KeyOptions

  @Option(help: "The environment's name; not needed where the server has only one.")
  var environment: String?

  @Option(help: "Environment steps to take, over all environments.")
  var steps = 10_000

  @Option(help: "Environments to play at a time.")
  var environments = 16

  @Option(help: "Of the episodes and of the actions.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Write the figures here, as JSON.", valueName: "file"))
  var out: String?

  func validate() throws {
    guard steps > 0 else { throw ValidationError("--steps is at least 1.") }
    guard (1...4096).contains(environments) else { throw ValidationError("--environments is 1 to 4096.") }
  }

  func run() throws {
    let remote = try RemotePool(endpoint, environment: environment, keys: try keys.keys())
    // To it the environments look as they would in this process: a pool is a pool.
    var vector = try VectorEnvironment(
      EpisodeStatistics(remote), count: environments, autoreset: .sameStep)
    defer { vector.close() }
    var batch = vector.makeBatch()
    var random = SplitMix64(seed: seed)
    var returns: [Double] = []
    let bar = ProgressBar("random", total: steps, unit: "steps")
    try vector.reset(seed: seed, into: &batch)
    var done = 0
    while done < steps {
      let actions = batch.rewards.map { _ in Int32(random.next(below: vector.actionSpace.count)) }
      try vector.step(actions, into: &batch)
      if let fault = batch.faults.lazy.compactMap({ $0 }).first { throw fault }
      for row in 0..<environments where batch.terminated[row] || batch.truncated[row] {
        returns.append(Double(batch.auxiliaries["episodeReturn"]![row]))
      }
      done += environments
      let recent = returns.suffix(100)
      bar.update(
        to: done,
        figures: recent.isEmpty ? [:] : ["return": recent.reduce(0, +) / Double(recent.count)])
    }
    bar.finish()
    try report(returns, steps: done, environment: remote.specification.name)
  }

  private func report(_ returns: [Double], steps: Int, environment: String) throws {
    guard !returns.isEmpty else { return print("\(environment): no episode ended in \(steps) steps") }
    let mean = Scores(returns).estimate { $0.mean }
    print(
      "\(environment): \(returns.count) episodes, return \(String(format: "%.3f", mean.value))",
      String(format: "(95%%: %.3f to %.3f)", mean.low, mean.high))
    guard let out else { return }
    let report = JSONReport([
      "random": [
        "environment": .string(environment), "steps": .integer(steps), "episodes": .integer(returns.count),
        "mean_return": .number(mean.value), "mean_return_low": .number(mean.low),
        "mean_return_high": .number(mean.high),
      ]
    ])
    try report.write(to: URL(filePath: out))
  }
}
