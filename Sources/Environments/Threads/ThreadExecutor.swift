import Foundation

/// Runs an actor on a thread of its own, so that waiting for a socket, or for a pool's step, never holds up
/// Swift's cooperative threads.
public final class ThreadExecutor: SerialExecutor {
  private let jobs = JobQueue()

  public init(name: String) {
    let thread = Thread { [jobs] in
      // The job keeps its actor alive, and the actor this executor.
      while let (job, executor) = jobs.next() { job.runSynchronously(on: executor) }
    }
    thread.name = name
    thread.start()
  }

  deinit { jobs.close() }

  public func enqueue(_ job: consuming ExecutorJob) {
    jobs.add(UnownedJob(job), asUnownedSerialExecutor())
  }
}

/// The jobs that wait for the thread.
private final class JobQueue: @unchecked Sendable {
  private let condition = NSCondition()
  // Both under the condition's lock.
  private var jobs: [(UnownedJob, UnownedSerialExecutor)] = []
  private var isClosed = false

  func add(_ job: UnownedJob, _ executor: UnownedSerialExecutor) {
    condition.lock()
    jobs.append((job, executor))
    condition.signal()
    condition.unlock()
  }

  func close() {
    condition.lock()
    isClosed = true
    condition.signal()
    condition.unlock()
  }

  /// Waits for a job; nil when there will be none.
  func next() -> (UnownedJob, UnownedSerialExecutor)? {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty && !isClosed { condition.wait() }
    return jobs.isEmpty ? nil : jobs.removeFirst()
  }
}
