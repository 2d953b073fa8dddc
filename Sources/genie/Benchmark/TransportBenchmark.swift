import AgentSDK
import CEcho
import Environments
import Foundation
import Logging
import Reporting
import WireProtocol
import WorldServer

/// What the server and the SDK cost beside the same bytes sent by bare C, turn by turn in one run.
///
/// Like is held against like: where the SDK copies the frames into the caller's batch, bare C copies them into an array of its
/// own; where the SDK shows them where ZeroMQ has put them ("in place"), bare C leaves them there.
struct TransportBenchmark {
  /// Turns of each kind.
  private let turns: Int
  private let style: ProgressBar.Style

  init(_ options: BenchmarkOptions, style: ProgressBar.Style) {
    turns = max(5, options.repeats)
    self.style = style
  }

  func run() throws -> BenchmarkPart {
    var part = BenchmarkPart(
      name: "transport",
      configuration: ["environment": "Noop-v1", "repeats": .integer(turns)])
    let pair = try CurveKeyPair()
    let trials: [Trial] = [
      Trial("ipc", count: 1, rounds: 2_000), Trial("ipc", count: 64, rounds: 400),
      Trial("ipc", count: 64, rounds: 400, isInPlace: true), Trial("tcp", count: 1, rounds: 2_000),
      Trial("tcp", count: 64, rounds: 400), Trial("tcp", count: 64, rounds: 400, isInPlace: true),
      Trial("tcp", count: 1, rounds: 1_000, keys: pair), Trial("tcp", count: 64, rounds: 100, keys: pair),
    ]
    let bar = ProgressBar("transport", total: trials.count, unit: "trials", style: style)
    for (index, trial) in trials.enumerated() {
      try compare(trial, into: &part)
      bar.update(to: index + 1, figures: [])
    }
    bar.finish()
    return part
  }

  private struct Trial {
    let transport: String
    /// Environments in a message.
    let count: Int
    /// Messages of a turn.
    let rounds: Int
    let isInPlace: Bool
    let keys: CurveKeyPair?

    init(_ transport: String, count: Int, rounds: Int, isInPlace: Bool = false, keys: CurveKeyPair? = nil) {
      self.transport = transport
      self.count = count
      self.rounds = rounds
      self.isInPlace = isInPlace
      self.keys = keys
    }

    var name: String {
      "\(transport)\(keys == nil ? "" : "_curve")_\(count)\(isInPlace ? "_in_place" : "")"
    }
    var words: String {
      "\(count) in a message, \(transport)\(keys == nil ? "" : " with CURVE")\(isInPlace ? ", in place" : "")"
    }
  }

  private func compare(_ trial: Trial, into part: inout BenchmarkPart) throws {
    let (count, keys) = (trial.count, trial.keys)
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "genie-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func endpoint(_ name: String) -> String {
      trial.transport == "ipc" ? "ipc://\(folder.path)/\(name)" : "tcp://127.0.0.1:*"
    }
    var configuration = ServerConfiguration(endpoints: [endpoint("genie")])
    if let keys {
      let list = folder.appending(path: "clients")
      try Data("\(keys.publicKey)\n".utf8).write(to: list)
      configuration.security = ServerSecurity(key: keys, clients: try AllowList(list))
    }
    var logger = Logger(label: "genie.benchmark")
    logger.logLevel = .error
    let server = EnvironmentServer(configuration, catalogue: .builtIn, logger: logger)
    let bound = try server.start()[0]
    defer { server.stop() }
    let client = keys.map { ClientKeys(own: $0, server: $0.publicKey) }
    let pool = try RemotePool(bound, environment: "Noop-v1", keys: client)
    let slots = try pool.open(OpenOptions(), count: count)
    var batch = pool.makeBatch()
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0) }, into: &batch)
    let actions = [Int32](repeating: 0, count: count)
    guard let bare = start(endpoint("bare"), keys) else { throw BareEchoFailed() }
    defer { echo_stop(bare) }

    var bytes = 0
    var own: [Double] = []
    var raw: [Double] = []
    for run in 0...turns {
      let begin = ContinuousClock.now
      for _ in 0..<trial.rounds {
        if trial.isInPlace {
          try pool.send(slots, actions)
          try pool.receive(into: &batch) { bytes += $0.count }
        } else {
          try pool.step(slots, actions, into: &batch)
        }
      }
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      let bareSeconds = echo_seconds(bare, count, trial.rounds, trial.isInPlace ? 0 : 1)
      guard bareSeconds > 0 else { throw BareEchoFailed() }
      // The first turn warms up.
      guard run > 0 else { continue }
      own.append(Double(count * trial.rounds) / seconds)
      raw.append(Double(count * trial.rounds) / bareSeconds)
    }
    let unit = "env steps/s, \(trial.words)"
    part.append("steps_per_second_\(trial.name)", Stopwatch.median(own), unit)
    part.append("bare_c_\(trial.name)", Stopwatch.median(raw), unit)
    part.append(
      "ratio_\(trial.name)", Stopwatch.median(zip(own, raw).map { $0 / $1 }),
      "of bare C, median of \(own.count) pairs")
  }

  private func start(_ endpoint: String, _ keys: CurveKeyPair?) -> OpaquePointer? {
    guard let keys else { return echo_start(endpoint, nil) }
    return keys.secretKey.description.withCString { secret in
      keys.publicKey.description.withCString { open in
        var all = echo_keys(
          server_secret: secret, server_public: open, client_secret: secret, client_public: open)
        return echo_start(endpoint, &all)
      }
    }
  }

  struct BareEchoFailed: Error, CustomStringConvertible {
    var description: String { "the bare server of the comparison failed" }
  }
}
