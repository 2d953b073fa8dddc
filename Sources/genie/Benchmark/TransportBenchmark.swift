import AgentSDK
import Environments
import Foundation
import Logging
import Reporting
import WorldServer

/// Steps of a served environment that does nothing, over ipc: what the wire costs.
struct TransportBenchmark {
  private static let environment = "Noop-v1"
  private let repeats: Int
  private let style: ProgressBar.Style

  init(_ options: BenchmarkOptions, style: ProgressBar.Style) {
    repeats = options.repeats
    self.style = style
  }

  func run() throws -> BenchmarkPart {
    var part = BenchmarkPart(
      name: "transport",
      configuration: [
        "environment": .string(Self.environment), "transport": "ipc", "repeats": .integer(repeats),
      ])
    let socket = FileManager.default.temporaryDirectory
      .appending(path: "genie-benchmark-\(ProcessInfo.processInfo.processIdentifier).sock")
    let endpoint = "ipc://\(socket.path)"
    var logger = Logger(label: "genie.benchmark")
    logger.logLevel = .error
    let server = EnvironmentServer(
      ServerConfiguration(endpoints: [endpoint]), catalogue: .builtIn, logger: logger)
    _ = try server.start()
    defer { server.stop() }
    let counts = [1, 64]
    let sessions = try counts.map { try Session($0, endpoint: endpoint) }
    let times = try Stopwatch.interleaved(
      "transport", repeats: repeats, style: style,
      sessions.map { session in { try Stopwatch.secondsPerCall(over: 0.2) { try session.step() } } })
    for (count, seconds) in zip(counts, times.map(Stopwatch.median)) {
      part.append("steps_per_second_\(count)", Double(count) / seconds, "env steps/s, \(count) in a message")
    }
    return part
  }

  /// Some slots of one connection.
  private final class Session {
    private let pool: RemotePool
    private let slots: [Slot]
    private var batch: StepBatch

    init(_ count: Int, endpoint: String) throws {
      pool = try RemotePool(endpoint, environment: TransportBenchmark.environment)
      let pool = pool
      slots = try (0..<count).map { _ in try pool.open(OpenOptions()) }
      batch = pool.makeBatch()
      try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0) }, into: &batch)
    }

    deinit { for slot in slots { pool.close(slot) } }

    func step() throws {
      try pool.step(slots, [Int32](repeating: 0, count: slots.count), into: &batch)
    }
  }
}
