import Foundation

/// Where in its life a server is, for whoever starts and stops it.
final class ServerState: @unchecked Sendable {
  private let condition = NSCondition()
  // All under the condition's lock.
  private var queue: WorkQueue?
  private var gatewayRuns = false
  private var published = ServerStatistics()

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  /// - Returns: false where the server was started before.
  func begin(_ queue: WorkQueue) -> Bool {
    locked {
      guard self.queue == nil else { return false }
      self.queue = queue
      return true
    }
  }

  /// The counters, at most a second old while the server runs.
  var statistics: ServerStatistics { locked { published } }

  func publish(_ statistics: ServerStatistics) { locked { published = statistics } }

  func gatewayStarted() { locked { gatewayRuns = true } }

  func gatewayEnded() {
    locked {
      gatewayRuns = false
      condition.broadcast()
    }
  }

  /// Closes the queue and waits until the gateway, which goes last, has ended.
  /// - Returns: false where nothing was running.
  func stop() -> Bool {
    locked {
      queue?.close()
      guard gatewayRuns else { return false }
      while gatewayRuns { condition.wait() }
      return true
    }
  }
}

/// A value that one thread gives and another waits for.
package final class Handover<Value: Sendable>: @unchecked Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private var value: Value?

  package init() {}

  package func give(_ value: Value) {
    self.value = value
    semaphore.signal()
  }

  package func take() -> Value {
    semaphore.wait()
    guard let value else { preconditionFailure("signalled without a value") }
    return value
  }
}
