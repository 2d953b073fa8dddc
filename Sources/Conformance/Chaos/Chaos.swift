import AgentSDK
import Environments
import Foundation
import Logging
import WireProtocol
import WorldServer

/// Trials by fault: what a server and its clients are put through, with figures.
public struct Chaos {
  public enum Trial: String, CaseIterable, Sendable {
    case delivery, kill, freeze, cut, replay, fork, handshake, flood, guess, fuzz, slow, sessions, soak
  }

  /// One line of the table.
  public struct Row: Sendable {
    public let trial: Trial
    public let check: String
    public let demanded: String
    public let measured: String
    public let passed: Bool
    /// Figures by name.
    public let figures: [String: Double]
  }

  /// How much of the full length: 1 is a million steps, ten million mutations, thirty minutes.
  public var scale: Double
  /// The `genie` program, for servers that are processes of their own.
  public var genie: URL
  /// Told what is going on.
  public var progress: (_ trial: String, _ done: Int, _ total: Int) -> Void = { _, _, _ in }
  let folder: URL

  public init(scale: Double, genie: URL) throws {
    self.scale = scale
    self.genie = genie
    folder = FileManager.default.temporaryDirectory.appending(
      path: "genie-chaos-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  public func removeFiles() { try? FileManager.default.removeItem(at: folder) }

  public func run(_ trial: Trial) throws -> Row {
    switch trial {
    case .delivery: try delivery()
    case .kill: try kill()
    case .freeze: try freeze()
    case .cut: try cut()
    case .replay: try replay()
    case .fork: try fork()
    case .handshake: try handshake()
    case .flood: try flood()
    case .guess: try guess()
    case .fuzz: try fuzz()
    case .slow: try slow()
    case .sessions: try sessions()
    case .soak: try soak()
    }
  }

  func endpoint(_ name: String) -> String { "ipc://\(folder.path)/\(name)" }

  func scaled(_ full: Int, atLeast least: Int = 1) -> Int { max(least, Int(Double(full) * scale)) }

  var quick: RetryPolicy {
    var policy = RetryPolicy()
    (policy.resendSeconds, policy.silenceSeconds) = (0.02, 5)
    return policy
  }

  /// For a machine that has other work, too.
  var patient: RetryPolicy {
    var policy = RetryPolicy()
    policy.silenceSeconds = 30
    return policy
  }

  /// The scripted action of a slot's step.
  func action(_ slot: Int, _ step: Int) -> Int32 {
    Int32(SplitMix64.mix(UInt64(slot) << 32 | UInt64(step)) % 6)
  }

  var silentLogger: Logger {
    var logger = Logger(label: "genie.chaos")
    logger.logLevel = .critical
    return logger
  }

  /// The value below which a share of the values lies.
  static func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return .nan }
    return values.sorted()[min(values.count - 1, Int(share * Double(values.count)))]
  }
}

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return (ContinuousClock.now - start) / .seconds(1)
}
