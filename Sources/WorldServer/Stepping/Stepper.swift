import Environments
import Logging
import WireProtocol

/// The stepping thread: it owns the pools and does all that touches them.
///
/// The waiting steps of all sessions go into one call of the pool. A round begins as soon as every session that took
/// part in the round before is there, or at the deadline: so sessions that step together are batched
/// together, and one that pauses costs the others one deadline, once.
final class Stepper {
  /// A pool with the batch that its answers are written into.
  final class Host {
    let name: String
    var pool: any EnvironmentPool
    var batch: StepBatch
    /// Steps that wait for their round.
    var waiting: [Work] = []
    /// Sessions of the round before that have not come back yet.
    var missing: Set<Identifier> = []

    init(name: String, pool: any EnvironmentPool) {
      self.name = name
      self.pool = pool
      batch = pool.makeBatch()
    }

    var specification: EnvironmentSpecification {
      var specification = pool.specification
      specification.name = name
      return specification
    }
  }

  let hosts: [Host]
  let queue: WorkQueue
  let epoch: UInt64
  let limits: Limits
  private let patience: Duration
  var holdings: [Identifier: Holding] = [:]

  /// Makes the pools.
  init(
    _ catalogue: EnvironmentCatalogue, _ configuration: ServerConfiguration, queue: WorkQueue, epoch: UInt64
  ) throws(ServerError) {
    var hosts: [Host] = []
    for name in catalogue.names {
      do throws(EnvironmentError) {
        hosts.append(Host(name: name, pool: try catalogue.makePool(name)))
      } catch {
        throw .environment(name: name, error)
      }
    }
    self.hosts = hosts
    self.queue = queue
    self.epoch = epoch
    limits = configuration.limits
    patience = .seconds(configuration.batchingSeconds)
  }

  /// Works until the queue is closed and empty, then closes every slot.
  func run() {
    var deadline: ContinuousClock.Instant?
    while let works = queue.take(until: deadline) {
      for work in works { accept(work) }
      let waiting = hosts.filter { !$0.waiting.isEmpty }
      guard !waiting.isEmpty else {
        deadline = nil
        continue
      }
      let now = ContinuousClock.now
      if waiting.contains(where: { !$0.missing.isEmpty }) {
        if deadline == nil { deadline = now + patience }
        if now < deadline! { continue }
      }
      for host in waiting { round(host) }
      deadline = nil
    }
    for host in hosts where !host.waiting.isEmpty { round(host) }
    for session in Array(holdings.keys) { release(session) }
    queue.end()
  }

  /// Puts a step where its round will find it; does anything else at once.
  private func accept(_ work: Work) {
    if case .step = work.kind, let holding = holdings[work.session] {
      let host = hosts[holding.environment]
      host.waiting.append(work)
      host.missing.remove(work.session)
    } else {
      queue.begin()
      queue.finish(perform(work).map { [$0] } ?? [], finished: 1)
    }
  }

  /// Closes all that a session holds.
  func release(_ session: Identifier) {
    guard let holding = holdings.removeValue(forKey: session) else { return }
    let host = hosts[holding.environment]
    for slot in holding.slots { host.pool.close(slot) }
    host.missing.remove(session)
  }
}
