import Foundation

/// Long-lived threads that each take whole sequences (training) or whole worlds (sampling).
///
/// Two pinned streams of single-threaded products do 1.3 to 2.2 times the work of one product split over
/// two threads; so work is handed over in steps, never in products. Worker 0 is the calling thread.
///
/// Where several processes train together, each has workers of its own, and they know of the others: parts of a step are
/// shared out among all workers of all ranks.
public final class Workers: Sendable {
  public let count: Int
  /// The processes that train together; nil where this one is alone.
  public let collective: (any Collective)?
  /// Workers of each rank.
  public let counts: [Int]
  private let rendezvous = Rendezvous()

  /// - Parameters:
  ///   - count: threads, the caller included; 0 takes one for each processor.
  ///   - collective: the processes that train together; all of them make their workers at the same time.
  public init(count: Int = 0, collective: (any Collective)? = nil) {
    self.count = count > 0 ? count : max(1, ProcessInfo.processInfo.activeProcessorCount)
    self.collective = collective
    counts = collective.map { [own = self.count] in $0.gathered([own]).map { $0[0] } } ?? [self.count]
    for index in 1..<max(2, self.count) where index < self.count {
      let thread = Thread { [rendezvous] in rendezvous.serve(index) }
      thread.stackSize = 8 << 20
      thread.name = "genie worker \(index)"
      thread.start()
    }
  }

  deinit { rendezvous.stop() }

  /// This process, in `0..<counts.count`.
  public var rank: Int { collective?.rank ?? 0 }

  /// Parts of a step that a rank's workers take, ascending: part `i` is worker `i % total`'s of all workers.
  public func parts(_ count: Int, of rank: Int) -> [Int] {
    let (first, total) = (counts.prefix(rank).reduce(0, +), counts.reduce(0, +))
    return (0..<count).filter { (first..<first + counts[rank]).contains($0 % total) }
  }

  /// Parts of a step that one of this process's workers takes.
  public func parts(_ count: Int, worker: Int) -> StrideTo<Int> {
    stride(from: counts.prefix(rank).reduce(worker, +), to: count, by: counts.reduce(0, +))
  }

  /// Calls `body` once on every worker with its index, and returns when all have returned.
  public func run(_ body: @escaping @Sendable (_ worker: Int) -> Void) {
    if count == 1 { return body(0) }
    rendezvous.begin(body, others: count - 1)
    body(0)
    rendezvous.finish()
  }
}

/// Where the caller and the threads meet; it outlives the ``Workers`` until the last thread has left.
private final class Rendezvous: @unchecked Sendable {
  private let condition = NSCondition()
  private var task: (@Sendable (Int) -> Void)?
  private var round = 0
  private var running = 0
  private var stopped = false

  func begin(_ body: @escaping @Sendable (Int) -> Void, others: Int) {
    condition.withLock {
      precondition(running == 0, "workers were given a task while they had one")
      task = body
      round += 1
      running = others
      condition.broadcast()
    }
  }

  func finish() {
    condition.withLock {
      while running > 0 { condition.wait() }
      task = nil
    }
  }

  func stop() {
    condition.withLock {
      stopped = true
      condition.broadcast()
    }
  }

  func serve(_ index: Int) {
    var seen = 0
    while true {
      condition.lock()
      while round == seen && !stopped { condition.wait() }
      if stopped { return condition.unlock() }
      seen = round
      let body = task
      condition.unlock()
      body?(index)
      condition.withLock {
        running -= 1
        if running == 0 { condition.broadcast() }
      }
    }
  }
}
