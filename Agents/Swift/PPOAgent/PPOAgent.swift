import AgentSDK
import ArgumentParser
import Autograd
import ClientOptions
import Environments
import Foundation
import ReinforcementLearning
import Reporting

/// Learns in environments behind an endpoint. Whether the other end is a game or a dream, it does not know.
@main
struct PPOAgent: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "PPOAgent",
    abstract: "Learns by PPO in the environments behind an endpoint.",
    discussion: """
      OUT is a folder: the policy (agent.policy.safetensors), a checkpoint that --resume goes on from, \
      and events that TensorBoard shows (tensorboard --logdir OUT).
      """)

  @Option(
    help: """
      Where the server is, such as tcp://127.0.0.1:5555 or ipc:///run/genie.sock. May be repeated: environments are spread \
      over all, and those of a server that dies go on at the others.
      """)
  var endpoint: [String]

  @OptionGroup var keys: KeyOptions

  @Option(help: "The environment's name; not needed where the server has only one.")
  var environment: String?

  @Option(help: "Environment steps to learn for, over all environments.")
  var steps = PPOConfiguration().totalSteps

  @Option(help: "Environments to play at a time.")
  var environments = PPOConfiguration().environments

  @Option(help: "Steps of each environment between two updates.")
  var rolloutSteps = PPOConfiguration().rolloutSteps

  @Option(help: "The learning rate at the start.")
  var learningRate = PPOConfiguration().learningRate

  @Option(help: ArgumentHelp("Cut episodes after so many steps; without it the environment's own horizon."))
  var horizon: Int?

  @Option(help: "Frames that the policy sees at once.")
  var frames = 1

  @Option(help: "Of the weights, the episodes and the actions drawn.")
  var seed: UInt64 = 1

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "out"))
  var out: String

  @Flag(help: "Go on from the checkpoint in OUT.")
  var resume = false

  func validate() throws {
    guard !endpoint.isEmpty else { throw ValidationError("Name an --endpoint.") }
    guard (1...64).contains(frames) else { throw ValidationError("--frames is 1 to 64.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let pool = try RemoteFleet(endpoint, environment: environment, keys: try keys.keys())
    let ppo = try PPO(
      LostEpisodes(pool),
      PPOConfiguration(
        totalSteps: steps, environments: environments, rolloutSteps: rolloutSteps,
        learningRate: learningRate, seed: seed),
      network: ActorCriticConfiguration(
        frame: pool.observationSpace, frames: frames, actions: pool.actionSpace),
      horizon: horizon, workers: Workers(count: workers))
    let folder = URL(filePath: out)
    let events = try EventFile(folder: folder)
    let checkpoint = folder.appending(path: "checkpoint.safetensors")
    let policy = folder.appending(path: "agent" + PolicyFile.suffix)
    if resume { try ppo.resume(from: checkpoint) }

    let bar = ProgressBar("ppo", total: steps, start: ppo.steps, unit: "steps")
    var saved = ContinuousClock.now
    while !ppo.isFinished {
      let figures = try ppo.iterate()
      try figures.log(to: events)
      bar.update(
        to: min(ppo.steps, steps),
        figures: [
          ("return", figures.recentReturn), ("length", figures.episodicLength), ("entropy", figures.entropy),
        ].filter { $0.1.isFinite })
      if ContinuousClock.now - saved > .seconds(30) {
        try ppo.save(to: checkpoint)
        saved = .now
      }
    }
    bar.finish()
    try ppo.save(to: checkpoint)
    try ppo.policy.write(to: policy)
    print("\(pool.specification.name): \(ppo.steps) steps, policy written to \(policy.relativePath)")
  }
}
