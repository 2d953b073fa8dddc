import AgentSDK
import ArgumentParser
import Autograd
import ClientOptions
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video

/// Does what somebody did whom it only watched: a world's latent action model tells what was done in a video, and a policy is cloned
/// from that (Genie, appendix E). It presses latent actions where the environment has them, else the buttons that they stand for.
@main
struct ImitationAgent: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ImitationAgent",
    abstract: "Imitates the player of a video, of whose actions nothing is known, behind an endpoint.",
    discussion: """
      CLIPS is what genie record or genie import made. Behind the endpoint may be the dream itself, or the game: then the \
      world's file has to know the game's buttons (200 labelled transitions).
      """)

  @Option(help: ArgumentHelp("Video of the player.", valueName: "clips"))
  var clips: String

  @Option(help: "The world that tells the latent actions; the bundled one if none is named.")
  var world: String?

  @Option(help: "Where the server is, such as tcp://127.0.0.1:5555 or ipc:///run/genie.sock.")
  var endpoint: String

  @OptionGroup var keys: KeyOptions

  @Option(help: "The environment's name; not needed where the server has only one.")
  var environment: String?

  @Option(help: "Steps of the cloning.")
  var steps = 2000

  @Option(help: "Episodes to play, at the same time up to 16.")
  var episodes = 50

  @Option(help: "Of the weights, the episodes and the actions drawn.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Also keep the policy here (NAME.policy.safetensors).", valueName: "file"))
  var out: String?

  func validate() throws {
    guard (1...1_000_000).contains(steps), (1...100_000).contains(episodes) else {
      throw ValidationError("--steps is 1 to 1000000, --episodes 1 to 100000.")
    }
    guard seed <= UInt64.max - 100_000 else { throw ValidationError("--seed is too large.") }
  }

  func run() throws {
    let world = try world.map { try World(URL(filePath: $0)) } ?? .bundled()
    let remote = try RemotePool(endpoint, environment: environment, keys: try keys.keys())
    let threads = Workers()
    let size = world.genie.configuration.tokenizer
    let frame = Box(height: size.height, width: size.width)
    // Before the long part: what does not fit is found at once.
    guard remote.observationSpace == frame else {
      throw PolicyError.observationMismatch(policy: frame, environment: remote.observationSpace)
    }
    try adapted(RandomPolicy(actionCount: world.actions), to: remote.specification, world)
      .check(remote.specification)
    let shown = try Demonstrations(world, try ClipFolder(URL(filePath: clips)), workers: threads)
    guard shown.count > 0 else { throw ValidationError("\(clips) shows no step.") }

    let bar = ProgressBar("cloning", total: steps, unit: "steps")
    let network = try BehaviourCloning(steps: steps, seed: seed).train(
      ActorCriticConfiguration(frame: frame, actions: Discrete(world.actions)),
      observations: shown.observations, actions: shown.latent, workers: threads
    ) { step, accuracy in bar.update(to: step, figures: ["accuracy": accuracy]) }
    bar.finish()
    if let out {
      try PolicyFile(network, environment: "video of \(clips)", steps: steps, seed: seed)
        .write(to: URL(filePath: out))
    }
    let policy = adapted(
      ActorCriticPolicy(network, choice: .sampled, workers: threads), to: remote.specification, world)

    let playing = ProgressBar("playing", total: episodes, unit: "episodes")
    let results = try Evaluation(seeds: seed..<seed + UInt64(episodes)).run(policy, on: remote) {
      playing.update(to: $0)
    }
    playing.finish()
    let mean = try EvaluationReport(
      policy: "imitation", environment: remote.specification.name, episodes: results
    ).meanReturn
    print(
      "\(remote.specification.name): \(shown.count) transitions watched, \(episodes) episodes, return",
      String(format: "%.3f (95%%: %.3f to %.3f)", mean.value, mean.low, mean.high))
  }

  /// A policy of latent actions behind the buttons of the environment, where it has those.
  private func adapted(
    _ latent: some Policy, to specification: EnvironmentSpecification, _ world: World
  ) -> any Policy {
    let space = specification.actionSpace
    guard let map = world.manifest.actionMap, space.count != world.actions || space.names == map.names else {
      return latent
    }
    return MappedPolicy(latent, map: map)
  }
}
