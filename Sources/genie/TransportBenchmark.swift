import AgentSDK
import CEcho
import Environments
import Foundation
import Logging
import WireProtocol
import WorldServer

/// What the server and the SDK cost beside the same bytes sent by bare C, turn by turn in one run.
struct TransportBenchmark {
  /// Turns of each kind.
  var runs: Int

  typealias Result = (name: String, value: Double, unit: String)

  func results() throws -> [Result] {
    var results: [Result] = []
    for transport in ["ipc", "tcp"] {
      results += try compare(transport, count: 1, rounds: 2_000, keys: nil)
      results += try compare(transport, count: 64, rounds: 400, keys: nil)
    }
    let pair = try CurveKeyPair()
    results += try compare("tcp", count: 1, rounds: 1_000, keys: pair)
    results += try compare("tcp", count: 64, rounds: 100, keys: pair)
    return results
  }

  private func compare(
    _ transport: String, count: Int, rounds: Int, keys: CurveKeyPair?
  ) throws -> [Result] {
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
    for run in 0...max(5, runs) {
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
    return [
      ("\(name)", median(own), unit), ("\(name)_bare_c", median(raw), unit),
      ("\(name)_ratio", median(zip(own, raw).map { $0 / $1 }), "of bare C, median of \(own.count) pairs"),
    ]
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

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  struct BareEchoFailed: Error, CustomStringConvertible {
    var description: String { "the bare server of the comparison failed" }
  }
}
