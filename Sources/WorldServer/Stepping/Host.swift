import Environments
import WireProtocol

/// A pool, with all that is needed to call it for many sessions at once.
final class Host {
  let name: String
  var pool: any EnvironmentPool
  /// What the pool's answers are written into.
  var batch: StepBatch
  let shelf = ByteShelf()
  /// Requests that wait for their round.
  var waiting: [Work] = []
  /// Sessions of the last rounds that have not come back yet.
  private(set) var missing: Set<Identifier> = []
  /// Rounds that each of these has missed.
  private var missed: [Identifier: Int] = [:]
  var stepCost = Cost()
  var resetCost = Cost()

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

  var isSnapshotting: Bool { pool is any Snapshotting }

  /// Puts a request where its round will find it.
  func enqueue(_ work: Work) {
    waiting.append(work)
    missing.remove(work.session)
  }

  /// Takes what waits, for a round.
  func takeWaiting() -> [Work] {
    let works = waiting
    waiting.removeAll(keepingCapacity: true)
    for session in missing {
      missed[session, default: 0] += 1
      // Not at the first: two that step together, but came apart once, would each wait for the other in turn.
      if missed[session] == 2 { forget(session) }
    }
    for work in works {
      missing.insert(work.session)
      missed[work.session] = nil
    }
    return works
  }

  /// Nobody waits for it any more.
  func forget(_ session: Identifier) {
    missing.remove(session)
    missed[session] = nil
  }

  /// Calls the pool as one whose environments can be kept.
  /// - Throws: ``Environments/EnvironmentError/unsupported(_:)`` where it is none, and what `body` throws.
  func snapshotting<Result>(
    _ body: (inout any Snapshotting) throws(EnvironmentError) -> Result
  ) throws(EnvironmentError) -> Result {
    guard isSnapshotting else { throw .unsupported("snapshots of \(name)") }
    return try Environments.snapshotting(&pool, body)
  }
}

/// What a row of a pool's calls costs, in seconds.
struct Cost {
  /// Nil before the first call. A slower call counts at once, a quicker one a little.
  private var secondsPerRow: Double?

  mutating func add(_ duration: Duration, rows: Int) {
    guard rows > 0 else { return }
    let seconds = (duration / .seconds(1)) / Double(rows)
    secondsPerRow = secondsPerRow.map { max(seconds, 0.95 * $0 + 0.05 * seconds) } ?? seconds
  }

  /// The seconds that a call will take, as far as one knows; infinite before the first.
  func estimate(rows: Int) -> Double { secondsPerRow.map { $0 * Double(rows) } ?? .infinity }
}
