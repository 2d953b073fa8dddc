import Foundation
import WireProtocol

/// The bounded queue between the I/O thread and the stepping thread, with the way back.
final class WorkQueue: @unchecked Sendable {
  /// What the I/O thread can tell without waiting for the environments.
  struct Activity: Sendable {
    var busySince: ContinuousClock.Instant?
    var queued = 0
    var counters = SteppingCounters()
  }

  private let condition = NSCondition()
  private let wake: WakeUp
  private let limit: Int
  // All under the condition's lock.
  private var waiting: [Work] = []
  private var completions: [Completion] = []
  private var current = Activity()
  private var isClosed = false
  private var hasEnded = false

  init(limit: Int, wake: WakeUp) {
    self.limit = limit
    self.wake = wake
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  // MARK: - The I/O thread's side

  /// Whether one more request can wait.
  var hasRoom: Bool { locked { !isClosed && current.queued < limit } }

  /// Takes on a piece of work.
  func submit(_ work: Work) {
    locked {
      current.queued += 1
      waiting.append(work)
      condition.signal()
    }
  }

  /// The answers that are ready, and whether the stepping thread has ended, after which no more come.
  func takeCompletions() -> (completions: [Completion], ended: Bool) {
    locked {
      defer { completions.removeAll() }
      return (completions, hasEnded)
    }
  }

  var activity: Activity { locked { current } }

  /// Lets the stepping thread finish what waits, and end.
  func close() {
    locked {
      isClosed = true
      condition.signal()
    }
  }

  // MARK: - The stepping thread's side

  /// All that waits. Where nothing does, waits for it, but not beyond `deadline`.
  /// - Returns: nil where the queue is closed and nothing waits.
  func take(until deadline: ContinuousClock.Instant?) -> [Work]? {
    locked {
      while waiting.isEmpty && !isClosed {
        guard let deadline else {
          condition.wait()
          continue
        }
        let rest = deadline - .now
        guard rest > .zero else { return [] }
        _ = condition.wait(until: Date(timeIntervalSinceNow: rest / .seconds(1)))
      }
      if waiting.isEmpty && isClosed { return nil }
      defer { waiting.removeAll() }
      return waiting
    }
  }

  /// Marks the beginning of a call to an environment.
  func begin() {
    locked { current.busySince = .now }
  }

  /// Marks its end, and hands over the answers.
  /// - Parameter finished: pieces of work that are done, answered or not.
  func finish(_ answers: [Completion], finished: Int) {
    let wasEmpty = locked {
      current.busySince = nil
      current.queued -= finished
      let wasEmpty = completions.isEmpty
      completions.append(contentsOf: answers)
      return wasEmpty
    }
    if wasEmpty && !answers.isEmpty { wake.wake() }
  }

  /// Counts what was done, on either thread.
  func count(rounds: Int, steps: Int, resets: Int) {
    locked {
      current.counters.rounds += rounds
      current.counters.steps += steps
      current.counters.resets += resets
    }
  }

  /// The stepping thread's last word.
  func end() {
    locked { hasEnded = true }
    wake.wake()
  }
}
