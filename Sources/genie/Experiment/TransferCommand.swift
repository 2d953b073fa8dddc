import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video

struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer", abstract: "x")

  @OptionGroup var worldOptions: WorldChoice
  @Option var clips: String
  @Option var steps = 100_000
  @Option var rules: [String] = ["starts"]
  @Option var seeds = 1
  @Option var doubt: Float?
  @Option var horizon: Int?
  @Option var temperature: Float?
  @Option var pilots: Int?
  @Option var suffix = ""
  @Option var gameSteps = 0
  @Option var out: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    let world = try worldOptions.load()
    let threads = Workers()
    let map = world.manifest.actionMap!
    let frames = DreamRules.frames(try ClipFolder(URL(filePath: clips)), count: DreamRules.starts, seed: 1)
    for name in rules where name != "-" {
      var rule = DreamRules.all.first { $0.name == name }!
      if let doubt, rule.doubt != nil { rule.doubt = doubt }
      if let horizon { rule.horizon = horizon }
      if let temperature { rule.temperature = temperature }
      if let pilots { rule.pilots = pilots }
      for seed in 1...UInt64(seeds) {
        let training = Training(
          folder: URL(filePath: out).appending(path: "\(name)\(suffix)-\(seed)"),
          configuration: PPOConfiguration(totalSteps: steps, seed: seed), style: output.progressStyle)
        let file = try training.run(title: "\(name) \(seed)", horizon: rule.horizon, workers: threads) {
          try rule.pool(world, frames: frames, workers: threads)
        }
        let policy = MappedPolicy(ActorCriticPolicy(file.network, choice: .sampled, workers: threads), map: map)
        let episodes = try Evaluation(seeds: 1_000_000..<1_000_100).run(policy, on: GamePool(Platformer()))
        print(EvaluationReport.table([try EvaluationReport(policy: name + suffix + " \(seed)", environment: "game", episodes: episodes)]))
      }
    }
  }
}
