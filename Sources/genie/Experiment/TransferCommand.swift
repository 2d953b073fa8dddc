import ArgumentParser
import Autograd
import ClientOptions
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video

struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Trains policies in a dream only, and shows what they are worth in the real game.",
    discussion: """
      The world was learned from video without actions. Policies are trained in it by each of the RULES; their latent \
      actions are mapped to the game's buttons, or those to latent actions, by the map in the world's file (200 labelled \
      transitions at most); then \
      they play levels of the game that no video shows. Beside them: the same learner in the real game for as many \
      steps, as the game is and, where the first rule cuts or limits episodes, cut and limited alike; random and \
      constant actions; and what each policy believed it would earn. Dreams are held against the better of the real \
      trainings.

      OUT keeps every stage; the same command goes on where it was interrupted. The first rule is the one that \
      `transfer.ratio` is about. Rules: \(DreamRules.all.map(\.summary).joined(separator: "; ")).
      """)

  @OptionGroup var worldOptions: WorldOption

  @Option(
    help: ArgumentHelp(
      "The folder to write to: index.html, transfer.json, policies and evaluations.", valueName: "folder"))
  var out: String

  @Option(
    help: ArgumentHelp("Video to take start frames from; recorded if none is named.", valueName: "clips"))
  var clips: String?

  @Option(help: "A server that has the real game, where that is not built in; it needs --clips.")
  var endpoint: String?

  @OptionGroup var keys: KeyOptions

  @Option(
    parsing: .upToNextOption, help: "How policies are trained in the dream; names, the first is the main one."
  )
  var rules = [DreamRules.usual]

  @Option(help: "Steps of each training, in the dream and in the game.")
  var steps = 200_000

  @Option(help: "Trainings of each kind, with seeds from 1 on.")
  var seeds = 3

  @Option(help: "Unseen levels of the real game that each policy plays.")
  var levels = 100

  @Option(help: "Episodes of each policy in the dream, for what it believes.")
  var dreams = 64

  @OptionGroup var output: OutputOptions

  func validate() throws {
    for rule in rules where !DreamRules.all.contains(where: { $0.name == rule }) {
      throw ValidationError(
        "No rule '\(rule)'; there are \(DreamRules.all.map(\.name).joined(separator: ", ")).")
    }
    guard endpoint == nil || clips != nil else {
      throw ValidationError("--endpoint needs --clips: video of that game.")
    }
    try keys.check(endpoint: endpoint)
    guard !rules.isEmpty, (1...100).contains(seeds) else { throw ValidationError("--seeds is 1 to 100.") }
    guard (10...10_000).contains(levels), (10...10_000).contains(dreams) else {
      throw ValidationError("--levels and --dreams are 10 to 10000.")
    }
  }

  func run() throws {
    let ground = try Ground(try worldOptions.load(), endpoint: endpoint, keys: try keys.keys())
    let folder = try ExperimentFolder(
      url: URL(filePath: out),
      settings: [
        "world": ground.world.identity, "steps": "\(steps)", "clips": clips ?? "none",
        "game": "\(ground.specification.name)",
      ], style: output.progressStyle)
    let given = try clips.map { try ClipFolder(URL(filePath: $0)) }
    let chosen = rules.map { name in DreamRules.all.first { $0.name == name }! }
    if chosen.contains(where: { $0.buttons == true }) { _ = try ground.world.buttons }
    var starts = DreamStarts()
    if chosen.contains(where: { $0.begins != true && $0.starts != nil }) {
      starts.video = try (given ?? folder.video("video", policy: .random, episodes: 200, seed: 77))
        .starts(DreamRules.startFrames, seed: 1)
    }
    if chosen.contains(where: { $0.begins == true }) {
      starts.begins = try ground.begins(DreamRules.startFrames).map { StartFrame($0) }
    }
    if chosen.contains(where: { $0.along == true }) {
      starts.way = try (given ?? folder.video("way", policy: .novice, episodes: 400, seed: 78))
        .starts(DreamRules.startFrames, seed: 1)
    }
    let experiment = TransferExperiment(
      ground: ground, folder: folder, starts: starts, suite: try ground.suite(levels: levels), steps: steps,
      seeds: seeds, dreams: dreams)
    let result = try experiment.run(chosen)
    print(result.table)
    let figures = result.figures
    try output.write(figures)
    print(
      "report: \(try result.page.write(to: folder.url, figures: figures, as: "transfer.json").relativePath)")
  }
}
