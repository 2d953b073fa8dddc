import Autograd
import Foundation
import Testing

@Suite struct WorkersTests {
  @Test(arguments: [1, 2, 5])
  func everyWorkerRunsOncePerRunAndItsResultsAreSeen(count: Int) {
    let workers = Workers(count: count)
    #expect(workers.count == count)
    nonisolated(unsafe) let runs = UnsafeMutablePointer<Int>.allocate(capacity: count)
    runs.initialize(repeating: 0, count: count)
    defer { runs.deallocate() }
    for round in 1...500 {
      workers.run { runs[$0] += 1 }
      for worker in 0..<count where runs[worker] != round {
        Issue.record("worker \(worker) ran \(runs[worker]) times in \(round) rounds")
        return
      }
    }
  }

  @Test func workerZeroIsTheCaller() {
    let workers = Workers(count: 3)
    let caller = ObjectIdentifier(Thread.current)
    let others = Counter()
    workers.run { worker in
      if (ObjectIdentifier(Thread.current) == caller) != (worker == 0) { others.add(1) }
    }
    #expect(others.value == 0)
  }

  @Test func bodiesRunAtTheSameTime() {
    // Each waits for the other: only possible with two threads.
    let workers = Workers(count: 2)
    let (left, right) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let met = Counter()
    workers.run { worker in
      (worker == 0 ? left : right).signal()
      if (worker == 0 ? right : left).wait(timeout: .now() + 10) == .success { met.add(1) }
    }
    #expect(met.value == 2)
  }

  @Test func threadsEndWithTheirWorkers() {
    let living = Counter()
    var workers: Workers? = Workers(count: 3)
    workers?.run { worker in
      if worker > 0 { Thread.current.threadDictionary["resident"] = Resident(living) }
    }
    #expect(living.value == 2)
    workers = nil
    for _ in 0..<500 where living.value > 0 { Thread.sleep(forTimeInterval: 0.01) }
    #expect(living.value == 0)
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  func add(_ number: Int) { lock.withLock { count += number } }
  var value: Int { lock.withLock { count } }
}

/// Lives as long as the thread that keeps it.
private final class Resident {
  private let living: Counter

  init(_ living: Counter) {
    self.living = living
    living.add(1)
  }

  deinit { living.add(-1) }
}
