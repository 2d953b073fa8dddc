import ArgumentParser
import Dispatch
import Environments
import Foundation
import GeneratedWorlds
import Logging
import Video
import WorldModel
import WorldServer

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves a world, games, or both, to agents in any language, until it is interrupted.",
    discussion: "Agents on this machine only. What is waiting is finished before the server stops.")

  @Argument(help: ArgumentHelp("A world's folder; the bundled world if neither world nor game is named."))
  var world: String?

  @Option(
    help: ArgumentHelp(
      "A built-in game: \(EnvironmentCatalogue.builtIn.names.joined(separator: ", ")). May be repeated.",
      valueName: "name"))
  var game: [String] = []

  @Option(
    help: ArgumentHelp(
      "What the world rewards: world (what it was trained to reward), none, novelty, or goal:FILE.png to be led to a picture.",
      valueName: "rewards"))
  var rewards = RewardChoice.world

  @Option(
    help: ArgumentHelp(
      "Start from this PNG picture of any size instead of the world's levels. May be repeated.",
      valueName: "file"))
  var start: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Dream the first frame too, another level for each seed; for worlds trained with training.masking.firstFrame."
    ))
  var dreamtLevels = false

  @Option(help: "Where: ipc://PATH or tcp://127.0.0.1:PORT (* for any free port). May be repeated.")
  var endpoint: [String] = ["tcp://127.0.0.1:5555"]

  @Option(help: ArgumentHelp("How long a silent session lives.", valueName: "seconds"))
  var sessionSeconds = 300.0

  @Option(help: ArgumentHelp("How long a step waits for those of other sessions.", valueName: "ms"))
  var batchingMilliseconds = 2.0

  @OptionGroup var precision: PrecisionOptions

  @Flag(help: "Tell of every session and every refused message.")
  var verbose = false

  func validate() throws {
    guard sessionSeconds > 0, sessionSeconds <= 86_400 * 365 else {
      throw ValidationError("--session-seconds is a time above 0.")
    }
    guard (0...1_000).contains(batchingMilliseconds) else {
      throw ValidationError("--batching-milliseconds is 0 to 1000.")
    }
    for name in game where !EnvironmentCatalogue.builtIn.names.contains(name) {
      throw ValidationError(
        "\(EnvironmentError.unknownEnvironment(name, offered: EnvironmentCatalogue.builtIn.names))")
    }
  }

  func run() throws {
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    var logger = Logger(label: "genie")
    logger.logLevel = verbose ? .debug : .info
    var configuration = ServerConfiguration(endpoints: endpoint)
    configuration.sessionSeconds = sessionSeconds
    configuration.batchingSeconds = batchingMilliseconds / 1_000
    let stop = interruption()
    let server = EnvironmentServer(configuration, catalogue: try catalogue(), logger: logger)
    for bound in try server.start() {
      // At once, also into a pipe: whoever started this may be waiting for the port.
      FileHandle.standardOutput.write(Data("serving at \(bound)\n".utf8))
    }
    stop.wait()
    server.stop()
  }

  private func catalogue() throws -> EnvironmentCatalogue {
    var catalogue = EnvironmentCatalogue()
    if world != nil || game.isEmpty {
      var world = try world.map { try World(URL(filePath: $0)) } ?? World.bundled()
      world = world.at(precision.precision)
      if !start.isEmpty { world = world.starting(from: try start.map { try PNG.read(URL(filePath: $0)) }) }
      guard !dreamtLevels || world.dreamsLevels else {
        throw ValidationError("\(world.manifest.name) was not trained to dream levels from nothing.")
      }
      let levelSampling: SamplingConfiguration? = dreamtLevels ? .level : nil
      let rewards = try rewards.model(world)
      catalogue.register(world.manifest.name) { [world] in
        GeneratedWorldPool(world, rewards: rewards, levelSampling: levelSampling)
      }
    }
    for name in game {
      catalogue.register(name) { () throws(EnvironmentError) in
        try EnvironmentCatalogue.builtIn.makePool(name)
      }
    }
    return catalogue
  }

  /// Signalled when the process is asked to end.
  private func interruption() -> DispatchSemaphore {
    let semaphore = DispatchSemaphore(value: 0)
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        semaphore.signal()
        // A second one ends it at once.
        source.cancel()
        signal(number, SIG_DFL)
      }
      source.resume()
    }
    return semaphore
  }
}
