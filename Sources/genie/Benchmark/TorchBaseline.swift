import Autograd
import Foundation
import WorldModel

/// The same dynamics model in PyTorch, in a process of its own that takes one measurement when asked.
final class TorchBaseline {
  /// One measurement, as `torch_reference.py` takes it.
  struct Request: Encodable {
    enum Work: String, Encodable { case sample, train }

    let work: Work
    let d: Int
    let layers: Int
    let heads: Int
    let tokens: Int
    let frames: Int
    let codes: Int
    var worlds: Int?
    var steps: Int?
    var clips: Int?
    var mode = Precision.float32.rawValue
    var threads = 1
    var seconds = 0.3

    /// A frame of all worlds, the window full.
    init(sampling worlds: Int, steps: Int, _ model: DynamicsConfiguration) {
      self.init(.sample, model, frames: model.window)
      self.worlds = worlds
      self.steps = steps
    }

    /// A training step.
    init(training clips: Int, time: Int, _ model: DynamicsConfiguration) {
      self.init(.train, model, frames: time)
      self.clips = clips
    }

    private init(_ work: Work, _ model: DynamicsConfiguration, frames: Int) {
      self.work = work
      (d, layers, heads) = (model.channels, model.blocks, model.heads)
      (tokens, codes) = (model.tokens, model.vocabulary)
      self.frames = frames
    }
  }

  private struct Reply: Decodable {
    var seconds: Double?
    var torch: String?
    var error: String?
  }

  /// PyTorch's version, once it has answered.
  private(set) var version: String?
  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  private var unread = Data()

  /// - Parameter python: a Python that has torch: a path, or a name to look up in PATH.
  init(python: String) throws(TorchBaselineError) {
    // A process that is gone is an error to report, not a signal to die of.
    signal(SIGPIPE, SIG_IGN)
    let isPath = python.contains("/")
    process.executableURL = URL(filePath: isPath ? python : "/usr/bin/env")
    let script = String(decoding: PackageResources.torch_reference_py, as: UTF8.self)
    process.arguments = (isPath ? [] : [python]) + ["-c", script]
    process.environment = Self.withoutThreadSettings(ProcessInfo.processInfo.environment)
    process.standardInput = requests
    process.standardOutput = replies
    do { try process.run() } catch {
      throw .cannotStart(python: python, reason: error.localizedDescription)
    }
  }

  deinit {
    try? requests.fileHandleForWriting.close()
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
  }

  /// Settings meant for our own run must not slow PyTorch down.
  static func withoutThreadSettings(_ environment: [String: String]) -> [String: String] {
    let prefixes = ["OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_"]
    return environment.filter { name, _ in !prefixes.contains { name.hasPrefix($0) } }
  }

  /// Seconds of one frame of all worlds, or of one training step.
  func measure(_ request: Request) throws(TorchBaselineError) -> Double {
    guard var line = try? JSONEncoder().encode(request) else { preconditionFailure("numbers and names") }
    line.append(UInt8(ascii: "\n"))
    do { try requests.fileHandleForWriting.write(contentsOf: line) } catch { throw .ended }
    let (seconds, version) = try Self.parse(try readLine())
    self.version = version ?? self.version
    return seconds
  }

  /// What a line of reply says.
  static func parse(_ line: Data) throws(TorchBaselineError) -> (seconds: Double, version: String?) {
    guard let reply = try? JSONDecoder().decode(Reply.self, from: line) else {
      throw .badReply(String(decoding: line.prefix(200), as: UTF8.self))
    }
    if let error = reply.error { throw .failed(error) }
    guard let seconds = reply.seconds, seconds > 0 else {
      throw .badReply(String(decoding: line.prefix(200), as: UTF8.self))
    }
    return (seconds, reply.torch)
  }

  private func readLine() throws(TorchBaselineError) -> Data {
    let newline = UInt8(ascii: "\n")
    while true {
      if let end = unread.firstIndex(of: newline) {
        defer { unread = Data(unread[(end + 1)...]) }
        return Data(unread[..<end])
      }
      let bytes = replies.fileHandleForReading.availableData
      guard !bytes.isEmpty else { throw .ended }
      unread.append(bytes)
    }
  }
}

/// Why there is no figure of PyTorch's.
enum TorchBaselineError: Error, Equatable, CustomStringConvertible {
  case cannotStart(python: String, reason: String)
  case ended
  case failed(String)
  case badReply(String)

  var description: String {
    switch self {
    case .cannotStart(let python, let reason): "--baseline \(python) cannot be started: \(reason)"
    case .ended: "the Python of --baseline ended without an answer; does it have torch?"
    case .failed(let reason): "PyTorch failed: \(reason)"
    case .badReply(let line): "the Python of --baseline answered '\(line)'"
    }
  }
}

extension TorchBaseline {
  /// A request in every way that PyTorch might be fastest in: on one thread, whose rate counts `threads`
  /// times, on all of them, and in bfloat16 where we compute in it too.
  /// - Returns: seconds that it took, times what it counts.
  func contestants(
    _ request: Request, threads: Int, precision: Precision
  ) -> [() throws -> Double] {
    let modes = precision == .float32 ? [Precision.float32] : Precision.allCases
    return modes.flatMap { mode in
      Set([1, threads]).sorted().map { count in
        var own = request
        own.mode = mode.rawValue
        own.threads = count
        let share = count == 1 ? Double(threads) : 1
        return { [own] in try self.measure(own) / share }
      }
    }
  }
}
