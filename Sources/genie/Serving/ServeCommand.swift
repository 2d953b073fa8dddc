import ArgumentParser
import Autograd
import Dispatch
import Environments
import Foundation
import GeneratedWorlds
import Logging
import Video
import WireProtocol
import WorldModel
import WorldServer

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves a world, games, or both, to agents in any language, until it is interrupted.",
    discussion: """
      For agents on this machine, or, with keys (genie keys), on any. What is waiting is finished before the server
      stops.

      A world to learn in starts where the game's levels start, and surprises: 'genie record --from-beginning \
      --longest-episode 1 --episodes 4096 --seed 51 --out firsts', then --clips firsts --tell-age --temperature 1 \
      --least-share 0.02 --least-odds 0 --repeat-limit 16.
      """)

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

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Start from frames of these videos, as many of each, instead of the world's levels.", valueName: "clips"
    ))
  var clips: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Dream the first frame too, another level for each seed; for worlds trained with training.masking.firstFrame."
    ))
  var dreamtLevels = false

  @Flag(help: "Take the game's buttons, by name, in place of the world's latent actions.")
  var buttons = false

  @Option(
    help: ArgumentHelp(
      "End episodes that have shown nothing new for so many steps, of games, too: to practise, not to judge.",
      valueName: "steps"))
  var repeatLimit: Int?

  @OptionGroup var sampling: SamplingOptions

  @OptionGroup var precision: PrecisionOptions

  @Option(
    help: """
      Where: ipc://PATH or tcp://127.0.0.1:PORT (* for any free port); any other address with --key and \
      --allow. May be repeated. (default: tcp://127.0.0.1:5555)
      """)
  var endpoint: [String] = []

  @Option(
    help: ArgumentHelp(
      "The server's NAME.secret (genie keys make): all endpoints are encrypted.", valueName: "file"))
  var key: String?

  @Option(help: ArgumentHelp("The list of the clients' public keys (genie keys allow).", valueName: "file"))
  var allow: String?

  @Option(
    help: ArgumentHelp(
      "Keeps sessions there, so that they can be resumed at the next start: a folder of its own, closed to others.",
      valueName: "folder"))
  var keep: String?

  @Option(
    help: ArgumentHelp("Tells counters at http://127.0.0.1:PORT/metrics, for Prometheus.", valueName: "port"))
  var metrics: UInt16?

  @Option(help: ArgumentHelp("How long a silent session lives. (default: 300)", valueName: "seconds"))
  var sessionSeconds: Double?

  @Option(
    help: ArgumentHelp("How long a step waits for those of other sessions. (default: 2)", valueName: "ms"))
  var batchingMilliseconds: Double?

  @Option(help: ArgumentHelp("Sessions at a time. (default: \(Limits().sessions))", valueName: "count"))
  var sessions: Int?

  @Option(
    help: ArgumentHelp(
      "Options as JSON, by their names here in camel case, but rewards and precision; the command line wins.",
      valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      """
      Servers, each a process of its own, that share the world's weights: the first at the endpoint, each other at the next \
      port, or at PATH-1, PATH-2, ... One that dies is started again. Clients take the list of endpoints.
      """, valueName: "count"))
  var replicas: Int?

  @Option(help: "Threads to dream on; 0 takes one for each processor, shared out among replicas.")
  var workers: Int?

  @Option(help: ArgumentHelp("Of a replica: where its weights lie packed.", visibility: .hidden))
  var packed: String?

  @Flag(help: "Log lines of JSON.")
  var jsonLog = false

  @Flag(help: "Tell of every session and every refused message.")
  var verbose = false

  func validate() throws {
    guard (sessionSeconds ?? 1) > 0, (sessionSeconds ?? 1) <= 86_400 * 365 else {
      throw ValidationError("--session-seconds is a time above 0.")
    }
    guard (0...1_000).contains(batchingMilliseconds ?? 0) else {
      throw ValidationError("--batching-milliseconds is 0 to 1000.")
    }
    guard (1...1_000_000).contains(sessions ?? 1) else {
      throw ValidationError("--sessions is 1 to 1000000.")
    }
    for name in game where !EnvironmentCatalogue.builtIn.names.contains(name) {
      throw ValidationError(
        "\(EnvironmentError.unknownEnvironment(name, offered: EnvironmentCatalogue.builtIn.names))")
    }
    guard (1...256).contains(replicas ?? 1), (0...256).contains(workers ?? 0) else {
      throw ValidationError("--replicas is 1 to 256, --workers 0 to 256.")
    }
    guard (key == nil) == (allow == nil) else { throw ValidationError("--key and --allow go together.") }
    guard start.isEmpty || clips.isEmpty else {
      throw ValidationError("Worlds start from --start or from --clips.")
    }
    guard !dreamtLevels || (start.isEmpty && clips.isEmpty) else {
      throw ValidationError("Worlds start from dreamt levels, or from --start or --clips.")
    }
    guard (1...1_000_000).contains(repeatLimit ?? 1) else {
      throw ValidationError("--repeat-limit is 1 to 1000000.")
    }
    try sampling.validate()
  }

  mutating func run() throws {
    if let config {
      fill(try ServeOptions(URL(filePath: config)))
      try validate()
    }
    guard servesWorld || !asksForDream else {
      throw ValidationError(
        "How a world starts, is drawn, acted in and rewarded is nothing to a game: name a world beside --game."
      )
    }
    let isJSON = jsonLog
    LoggingSystem.bootstrap { label -> any LogHandler in
      isJSON ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
    }
    var logger = Logger(label: "genie")
    logger.logLevel = verbose ? .debug : .info
    Context.raiseDescriptorLimit()
    let stop = interruption()
    if let replicas, replicas > 1 {
      return try Replicas(
        count: replicas, endpoints: endpoints, keep: keep, metrics: metrics, workers: workers ?? 0,
        logger: logger
      ).run(until: stop) { [self] folder in
        if servesWorld { try prepared(loadedWorld()).write(to: folder) }
      }
    }
    if packed != nil { Replicas.stop(stop, withParent: FileHandle.standardInput) }
    let server = EnvironmentServer(try serverConfiguration(), catalogue: try catalogue(), logger: logger)
    for bound in try server.start() {
      // At once, also into a pipe: whoever started this may be waiting for the port.
      try? FileHandle.standardOutput.write(contentsOf: Data("serving at \(bound)\n".utf8))
    }
    stop.wait()
    server.stop()
  }

  mutating func fill(_ options: ServeOptions) {
    world = world ?? options.world
    if game.isEmpty { game = options.game ?? [] }
    if endpoint.isEmpty { endpoint = options.endpoint ?? [] }
    key = key ?? options.key
    allow = allow ?? options.allow
    keep = keep ?? options.keep
    metrics = metrics ?? options.metrics
    sessionSeconds = sessionSeconds ?? options.sessionSeconds
    batchingMilliseconds = batchingMilliseconds ?? options.batchingMilliseconds
    sessions = sessions ?? options.sessions
    jsonLog = jsonLog || options.jsonLog ?? false
    verbose = verbose || options.verbose ?? false
    replicas = replicas ?? options.replicas
    workers = workers ?? options.workers
    if start.isEmpty, clips.isEmpty {
      clips = options.clips ?? []
      start = options.start ?? []
    }
    dreamtLevels = dreamtLevels || options.dreamtLevels ?? false
    buttons = buttons || options.buttons ?? false
    repeatLimit = repeatLimit ?? options.repeatLimit
    sampling.temperature = sampling.temperature ?? options.temperature
    sampling.leastShare = sampling.leastShare ?? options.leastShare
    sampling.pilots = sampling.pilots ?? options.pilots
    sampling.leastOdds = sampling.leastOdds ?? options.leastOdds
    sampling.tellAge = sampling.tellAge || options.tellAge ?? false
  }

  private var endpoints: [String] { endpoint.isEmpty ? ["tcp://127.0.0.1:5555"] : endpoint }

  func serverConfiguration() throws -> ServerConfiguration {
    var configuration = ServerConfiguration(endpoints: endpoints)
    configuration.sessionSeconds = sessionSeconds ?? configuration.sessionSeconds
    configuration.batchingSeconds = batchingMilliseconds.map { $0 / 1_000 } ?? configuration.batchingSeconds
    configuration.limits.sessions = sessions ?? configuration.limits.sessions
    configuration.persistence = keep.map { URL(filePath: $0) }
    configuration.metricsPort = metrics
    if let key, let allow {
      configuration.security = ServerSecurity(
        key: try KeyFile.pair(URL(filePath: key)), clients: try AllowList(URL(filePath: allow)))
    }
    return configuration
  }

  private var servesWorld: Bool { world != nil || game.isEmpty }

  private var asksForDream: Bool {
    rewards != .world || !start.isEmpty || !clips.isEmpty || dreamtLevels || buttons || !sampling.isEmpty
  }

  private func loadedWorld() throws -> World {
    sampling.applied(to: try World.named(world).at(precision.precision))
  }

  private func prepared(_ world: World) throws -> PreparedGenie {
    guard let packed else { return PreparedGenie(world) }
    return try PreparedGenie(
      world.genie, precision: world.precision, odds: world.odds, packedIn: URL(filePath: packed))
  }

  func catalogue() throws -> EnvironmentCatalogue {
    var catalogue = EnvironmentCatalogue()
    if servesWorld {
      var world = try loadedWorld()
      let prepared = try prepared(world)
      let starts = try startFrames()
      if !starts.isEmpty { world = world.starting(from: starts) }
      guard !dreamtLevels || world.dreamsLevels else {
        throw ValidationError("\(world.manifest.name) was not trained to dream levels from nothing.")
      }
      let levelSampling: SamplingConfiguration? = dreamtLevels ? .level : nil
      let rewards = try rewards.model(world)
      let threads = Workers(count: workers ?? 0)
      let buttons = buttons ? try world.buttons : nil
      catalogue.register(world.manifest.name) { [world, repeatLimit] () throws(EnvironmentError) in
        let pool = Self.limited(
          GeneratedWorldPool(
            world, prepared: prepared, workers: threads, rewards: rewards, levelSampling: levelSampling),
          repeatLimit)
        return if let buttons { try MappedActions(pool, map: buttons) } else { pool }
      }
    }
    for name in game {
      catalogue.register(name) { [repeatLimit] () throws(EnvironmentError) in
        Self.limited(try EnvironmentCatalogue.builtIn.makePool(name), repeatLimit)
      }
    }
    return catalogue
  }

  private static func limited(_ pool: any EnvironmentPool, _ repeats: Int?) -> any EnvironmentPool {
    repeats.map { RepeatLimit(pool, steps: $0) } ?? pool
  }

  /// What episodes start from; nothing where it is the world's levels.
  private func startFrames() throws -> [StartFrame] {
    try start.map { StartFrame(try PNG.read(URL(filePath: $0))) }
      + clips.flatMap {
        try ClipFolder(URL(filePath: $0)).starts(max(1, DreamRules.startFrames / clips.count), seed: 1)
      }
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
