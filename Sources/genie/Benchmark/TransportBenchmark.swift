import AgentSDK
import CEcho
import Environments
import Foundation
import Logging
import Reporting
import WireProtocol
import WorldServer

/// What the server and the SDK cost beside the same bytes sent by bare C, turn by turn in one run.
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
    let trials: [(transport: String, count: Int, rounds: Int, keys: CurveKeyPair?)] = [
      ("ipc", 1, 2_000, nil), ("ipc", 64, 400, nil), ("tcp", 1, 2_000, nil), ("tcp", 64, 400, nil),
      ("tcp", 1, 1_000, pair), ("tcp", 64, 100, pair),
    ]
    let bar = ProgressBar("transport", total: trials.count, unit: "trials", style: style)
    for (index, trial) in trials.enumerated() {
      try compare(trial.transport, count: trial.count, rounds: trial.rounds, keys: trial.keys, into: &part)
      bar.update(to: index + 1, figures: [])
    }
    bar.finish()
    return part
  }

  private func compare(
    _ transport: String, count: Int, rounds: Int, keys: CurveKeyPair?, into part: inout BenchmarkPart
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "genie-benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func endpoint(_ name: String) -> String {
      transport == "ipc" ? "ipc://\(folder.path)/\(name)" : "tcp://127.0.0.1:*"
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

    var own: [Double] = []
    var raw: [Double] = []
    for run in 0...turns {
      let begin = ContinuousClock.now
      for _ in 0..<rounds { try pool.step(slots, actions, into: &batch) }
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      let bareSeconds = echo_seconds(bare, count, rounds)
      guard bareSeconds > 0 else { throw BareEchoFailed() }
      // The first turn warms up.
      guard run > 0 else { continue }
      own.append(Double(count * rounds) / seconds)
      raw.append(Double(count * rounds) / bareSeconds)
    }
    let name = "\(transport)\(keys == nil ? "" : "_curve")_\(count)"
    let unit = "env steps/s, \(count) in a message, \(transport)\(keys == nil ? "" : " with CURVE")"
    part.append("steps_per_second_\(name)", Stopwatch.median(own), unit)
    part.append("bare_c_\(name)", Stopwatch.median(raw), unit)
    part.append(
      "ratio_\(name)", Stopwatch.median(zip(own, raw).map { $0 / $1 }),
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
