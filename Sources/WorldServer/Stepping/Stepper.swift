import Environments
import Foundation
import Logging
import WireProtocol

/// All that touches the pools. One thread at a time is in it.
///
/// A call that is expected to be quick is made by the I/O thread itself, right where the request arrived:
/// handing it to another thread and back would cost more than the call. All else is made on the stepping
/// thread, so that the I/O thread goes on answering.
///
/// There the waiting requests of all sessions go into one call of the pool. A round begins as soon as every
/// session that took part in the last rounds is there, or at the deadline: so sessions that step together
/// are batched together, and one that pauses costs the others two deadlines, once. Every round takes all that
/// wait, one request a session: nobody waits longer than a round.
final class Stepper: @unchecked Sendable {
  let hosts: [Host]
  let queue: WorkQueue
  let epoch: UInt64
  let limits: Limits
  let journals: Journals?
  let logger: Logger
  private let patience: Duration
  private let inlineSeconds: Double
  private let lock = NSLock()
  // All under the lock from here.
  var holdings: [Identifier: Holding] = [:]
  var isReplaying = false
  private var hasEnded = false

  /// Makes the pools.
  init(
    _ catalogue: EnvironmentCatalogue, _ configuration: ServerConfiguration, queue: WorkQueue, epoch: UInt64,
    logger: Logger
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
    self.logger = logger
    limits = configuration.limits
    patience = .seconds(configuration.batchingSeconds)
    inlineSeconds = configuration.inlineSeconds
    journals = try configuration.persistence.map { folder throws(ServerError) in
      try Journals(folder, keepingSeconds: configuration.sessionSeconds)
    }
  }

  // MARK: - The I/O thread's side

  /// Does at once what can be done at once.
  /// - Returns: the answers; nil where the request has to go through the queue.
  func attempt(_ work: Work) -> [Completion]? {
    guard lock.try() else { return nil }
    defer { lock.unlock() }
    guard !hasEnded, let (host, cost) = estimate(work), cost <= inlineSeconds else { return nil }
    return round(host, [work])
  }

  private func estimate(_ work: Work) -> (Host, Double)? {
    guard let holding = holdings[work.session] else { return nil }
    let host = hosts[holding.environment]
    switch work.kind {
    case .step: return (host, host.stepCost.estimate(rows: slotCount(of: work)))
    case .reset: return (host, host.resetCost.estimate(rows: slotCount(of: work)))
    default: return nil
    }
  }

  /// How many slots a request of a round concerns.
  private func slotCount(of work: Work) -> Int {
    switch work.kind {
    case .step(let request): request.actions.count
    case .reset(let request):
      request.slots.isEmpty ? holdings[work.session]?.slots.count ?? 0 : request.slots.count
    default: 0
    }
  }

  // MARK: - The stepping thread's side

  /// Works until the queue is closed and empty, then closes every slot.
  func run() {
    var deadline: ContinuousClock.Instant?
    while let works = queue.take(until: deadline) {
      lock.withLock {
        for work in works { accept(work) }
        let waiting = hosts.filter { !$0.waiting.isEmpty }
        guard !waiting.isEmpty else {
          deadline = nil
          return
        }
        let now = ContinuousClock.now
        if waiting.contains(where: isWorthWaiting) {
          if deadline == nil { deadline = now + patience }
          if now < deadline! { return }
        }
        for host in waiting { roundOnThread(host) }
        deadline = nil
      }
    }
    lock.withLock {
      for host in hosts where !host.waiting.isEmpty { roundOnThread(host) }
      for session in Array(holdings.keys) { leave(session) }
      hasEnded = true
    }
    queue.end()
  }

  /// Whether sessions are missing whose company would save something.
  private func isWorthWaiting(_ host: Host) -> Bool {
    let rows = host.waiting.reduce(0) { $0 + slotCount(of: $1) }
    return !host.missing.isEmpty && host.stepCost.estimate(rows: rows) > inlineSeconds
  }

  /// Puts a request where its round will find it; does anything else at once.
  private func accept(_ work: Work) {
    if work.isOfRounds, let holding = holdings[work.session] {
      hosts[holding.environment].enqueue(work)
    } else {
      queue.begin()
      queue.finish(perform(work).map { [$0] } ?? [], finished: 1)
    }
  }

  private func roundOnThread(_ host: Host) {
    let works = host.takeWaiting()
    queue.begin()
    queue.finish(round(host, works), finished: works.count)
  }

  /// Closes all that a session holds, for good.
  func release(_ session: Identifier) {
    closeSlots(session)
    journals?.remove(session)
  }

  /// Closes all that a session holds; it may be resumed at the next incarnation, where that is kept.
  private func leave(_ session: Identifier) {
    if let holding = holdings[session] { keep(session, holding) }
    closeSlots(session)
  }

  func closeSlots(_ session: Identifier) {
    guard let holding = holdings.removeValue(forKey: session) else { return }
    let host = hosts[holding.environment]
    for slot in holding.slots { host.pool.close(slot) }
    host.forget(session)
  }
}
