import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Safetensors

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Shows what an agent learned in a dream, there and in the real game: a page with pictures.",
    discussion: """
      The policy plays its world from start frames that were never trained on, beside random actions; then, \
      through the world's action map, levels of Platformer-v1 that were in no video, beside random and \
      constant actions and a scripted player. OUT becomes a folder with index.html, pictures and report.json.
      """)

  @Option(
    help: ArgumentHelp("A policy that was trained in the world (NAME.policy.safetensors).", valueName: "file")
  )
  var policy: String

  @Option(help: "The world's folder; the bundled world if none is named.")
  var world: String?

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"))
  var out: String

  @Option(help: "Episodes of each policy in each of the two.")
  var episodes = 100

  @Option(help: "The seed of the first episode, and the number of the first level of the game.")
  var seed: UInt64 = 1_000_000

  @Option(help: "How the policy chooses: sampled, as in training, or greedy.")
  var choice = ActorCriticPolicy.Choice.sampled

  @Option(help: ArgumentHelp("What the learner logged, for its learning curve.", valueName: "events folder"))
  var curve: String?

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    // A bootstrap of fewer says more than it knows.
    guard (10...10_000).contains(episodes) else { throw ValidationError("--episodes is 10 to 10000.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
    guard seed <= UInt64.max - 10_000 else { throw ValidationError("--seed is too large.") }
  }

  func run() throws {
    let world = try World.named(world)
    let file = try PolicyFile(contentsOf: URL(filePath: policy))
    let curve = try curve.flatMap { try LearningCurve(folder: URL(filePath: $0)) }
    // Before the long part: a folder that cannot be made is found at once.
    let folder = URL(filePath: out)
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw AtomicFileError.failed(path: out, reason: error.localizedDescription)
    }

    let threads = Workers(count: workers)
    let seeds = seed..<seed + UInt64(episodes)
    let trials = Trials(
      world: world, policy: ActorCriticPolicy(file.network, choice: choice, workers: threads), seeds: seeds,
      workers: threads, style: output.progressStyle)
    let dream = try trials.dream()
    let game = try trials.game()
    let actions = try ActionSheet(world, workers: threads)
    let page = ReportPage(
      world: world, policy: file.record, choice: choice, seeds: seeds, dream: dream, game: game,
      obstacle: trials.obstacle, actions: actions.picture, curve: curve)
    let index = try page.write(to: folder)

    show("In the dream", dream)
    if let game {
      show("In the real game", game)
    } else if let obstacle = trials.obstacle {
      print("\nThe real game was not played: \(obstacle)")
    }
    try output.write(page.figures)
    print("\nreport: \(index.relativePath)")
  }

  private func show(_ title: String, _ comparison: Comparison) {
    print("\n\(title), \(comparison.environment)\n\(comparison.table)")
    if let random = comparison.other("random") { print(Verdict(comparison.trained, over: random).sentence) }
  }
}
