import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

struct ImitationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imitation",
    abstract:
      "Imitates an expert of whom there is only video, with a few labelled transitions (Genie, appendix E).",
    discussion: """
      The world's latent action model labels video of an expert; a policy is cloned from those labels; a map from N \
      labelled transitions turns what it chooses into buttons. It plays unseen levels, beside an oracle that was cloned \
      from the true actions and random actions. OUT keeps every stage, and ends with index.html and imitation.json.
      """)

  @OptionGroup var worldOptions: WorldOption

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var out: String

  @Option(help: "Episodes of the expert's video.")
  var episodes = 200

  @Option(help: "Steps of each cloning.")
  var steps = 2000

  @Option(help: "Clonings of each kind, with seeds from 1 on.")
  var seeds = 3

  @Option(parsing: .upToNextOption, help: "Labelled transitions to map actions with.")
  var samples = [10, 25, 50, 100, 200, 400]

  @Option(help: "Unseen levels of the real game that each policy plays.")
  var levels = 100

  @Option(help: "How a policy chooses: sampled or greedy.")
  var choice = ActorCriticPolicy.Choice.greedy

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...100).contains(seeds), (1...100_000).contains(steps), (10...10_000).contains(levels),
      (2...10_000).contains(episodes), !samples.isEmpty, samples.allSatisfy({ (1...10_000).contains($0) })
    else {
      throw ValidationError(
        "--seeds, --steps, --levels, --episodes and --samples are at least 1, 1, 10, 2 and 1.")
    }
  }

  func run() throws {
    let ground = try Ground(try worldOptions.load())
    let folder = try ExperimentFolder(
      url: URL(filePath: out),
      settings: ["world": ground.world.identity, "steps": "\(steps)", "episodes": "\(episodes)"],
      style: output.progressStyle)
    let experiment = ImitationExperiment(
      ground: ground, folder: folder, episodes: episodes, steps: steps, seeds: seeds,
      samples: Set(samples).sorted(), levels: levels, choice: choice)
    let result = try experiment.run()
    print(result.table)
    print("mapped latent actions that are what was pressed: \(percent(result.agreement))")
    try output.write(result.figures)
    let page = try result.page.write(to: folder.url, figures: result.figures, as: "imitation.json")
    print("report: \(page.relativePath)")
  }
}
