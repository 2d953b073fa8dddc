import Dispatch
import Foundation
import Logging

/// Servers of the same, each a process of its own, started, watched over and stopped together.
///
/// A replica is `genie serve` with the same options and endpoints of its own. The weights are packed once, into files that
/// all replicas map, so that they are in memory once. A replica that is killed is started again; one that ends by itself
/// could not do its work, and ends all.
final class Replicas: @unchecked Sendable {
  private let count: Int
  private let endpoints: [String]
  private let keep: String?
  private let metrics: UInt16?
  private let workers: Int
  private let logger: Logger
  /// Guards what follows.
  private let lock = NSLock()
  private var processes: [Int: Process] = [:]
  private var isStopping = false
  private var failure: ReplicaError?

  init(
    count: Int, endpoints: [String], keep: String?, metrics: UInt16?, workers: Int, logger: Logger
  ) {
    self.count = count
    self.endpoints = endpoints
    self.keep = keep
    self.metrics = metrics
    let processors = ProcessInfo.processInfo.activeProcessorCount
    self.workers = workers > 0 ? workers : max(1, processors / count)
    self.logger = logger
  }

  /// Starts the replicas, and returns when they have stopped.
  /// - Parameter pack: writes the packed weights to a folder.
  /// - Throws: ``ReplicaError``
  func run(until stop: DispatchSemaphore, pack: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "genie-replicas-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try pack(folder)
    for index in 0..<count { try start(index, folder.path, stop) }
    stop.wait()
    let running = lock.withLock {
      isStopping = true
      return Array(processes.values)
    }
    for process in running where process.isRunning { process.terminate() }
    for process in running { process.waitUntilExit() }
    if let failure = lock.withLock({ failure }) { throw failure }
  }

  private func start(_ index: Int, _ weights: String, _ stop: DispatchSemaphore) throws {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = arguments(of: index, CommandLine.arguments.dropFirst(), weights)
    // Its end is closed when this process is gone, however it went.
    process.standardInput = Pipe()
    process.terminationHandler = { [self] process in
      let isStopping = lock.withLock { self.isStopping }
      guard !isStopping else { return }
      if process.terminationReason == .uncaughtSignal {
        logger.error("replica \(index) was killed by signal \(process.terminationStatus); starting another")
        Thread.sleep(forTimeInterval: 0.2)
        if (try? start(index, weights, stop)) != nil { return }
      }
      lock.withLock { failure = .ended(replica: index, status: process.terminationStatus) }
      stop.signal()
    }
    try lock.withLock {
      guard !isStopping else { return }
      try process.run()
      processes[index] = process
    }
  }

  /// The command line again, with what is a replica's own: options that come later win.
  func arguments(of index: Int, _ given: ArraySlice<String>, _ weights: String) -> [String] {
    var rest = Array(given)
    for name in ["--replicas", "--endpoint"] {
      rest.removeAll { $0.hasPrefix(name + "=") }
      while let place = rest.firstIndex(of: name) {
        rest.removeSubrange(place..<min(rest.count, place + 2))
      }
    }
    rest += ["--replicas", "1", "--packed", weights, "--workers", "\(workers)"]
    for endpoint in endpoints { rest += ["--endpoint", Self.endpoint(endpoint, of: index)] }
    if let keep { rest += ["--keep", keep + "/replica-\(index)"] }
    if let metrics { rest += ["--metrics", "\(Int(metrics) + index)"] }
    return rest
  }

  /// The next port for each, or another path; any free port stays that.
  static func endpoint(_ endpoint: String, of index: Int) -> String {
    guard index > 0, !endpoint.hasSuffix("*") else { return endpoint }
    guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
      let port = Int(endpoint[endpoint.index(after: colon)...])
    else { return "\(endpoint)-\(index)" }
    return endpoint[...colon] + "\(port + index)"
  }

  /// Stops a replica when the process that started it is gone.
  static func stop(_ semaphore: DispatchSemaphore, withParent input: FileHandle) {
    Thread.detachNewThread {
      while let data = try? input.read(upToCount: 64), !data.isEmpty {}
      semaphore.signal()
    }
  }
}

/// Why replicas cannot go on.
enum ReplicaError: Error, CustomStringConvertible {
  case ended(replica: Int, status: Int32)

  var description: String {
    switch self {
    case .ended(let replica, let status): "replica \(replica) ended with status \(status)"
    }
  }
}
