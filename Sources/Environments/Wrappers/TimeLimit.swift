/// Truncates every episode after a number of steps, whatever longer horizon a slot or the pool itself has.
public struct TimeLimit: Wrapper {
  public var base: any EnvironmentPool
  private let limit: Int

  /// - Parameter steps: at least 1.
  public init(_ base: any EnvironmentPool, steps limit: Int) {
    precondition(limit > 0, "a time limit of \(limit) steps")
    self.base = base
    self.limit = limit
  }

  public var specification: EnvironmentSpecification {
    var specification = base.specification
    specification.horizon = min(specification.horizon ?? limit, limit)
    return specification
  }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    // A pool counts the steps of its slots anyway: it only has to be told.
    var options = options
    options.horizon = min(options.horizon ?? base.specification.horizon ?? limit, limit)
    return try base.open(options)
  }

  // The pool itself counts the steps.
  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {}
  public func read(_ slot: Slot, from snapshot: inout SnapshotReader) {}
}
