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
  /// Sessions of the round before that have not come back yet.
  var missing: Set<Identifier> = []
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

  /// Calls the pool as one whose environments can be kept.
  /// - Throws: ``Environments/EnvironmentError/unsupported(_:)`` where it is none, and what `body` throws.
  func snapshotting<Result>(
    _ body: (inout any Snapshotting) throws(EnvironmentError) -> Result
  ) throws(EnvironmentError) -> Result {
    guard var pool = pool as? any Snapshotting else { throw .unsupported("snapshots of \(name)") }
    // While the pool is in two places, writing to one would copy all its slots.
    self.pool = VacantPool(specification: specification)
    defer { self.pool = pool }
    return try body(&pool)
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

/// Stands where a pool was taken from.
private struct VacantPool: EnvironmentPool {
  let specification: EnvironmentSpecification

  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot { throw .fault("vacant") }
  mutating func reset(_ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch)
    throws(EnvironmentError)
  { throw .fault("vacant") }
  mutating func step(_ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch)
    throws(EnvironmentError)
  { throw .fault("vacant") }
  mutating func close(_ slot: Slot) {}
}
