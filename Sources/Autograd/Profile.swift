/// Where the time of one worker goes, by operation.
///
/// A stopwatch that is never stopped: ``mark(_:flops:)`` says what the time since the last mark was spent on.
/// So nothing is left out, and the parts sum up to the whole. A ``Tape`` that has a profile marks every
/// operation and its backward pass; a tape without one (the default) pays for one branch an operation.
public final class Profile {
  /// What was spent on one operation.
  public struct Entry: Sendable, Equatable {
    public var calls = 0
    public var seconds = 0.0
    /// Multiply-adds of matrices, times two; 0 where the operation has none.
    public var flops = 0.0

    public init() {}
  }

  public private(set) var entries: [String: Entry] = [:]
  private var last = ContinuousClock.now

  public init() {}

  /// Starts the stopwatch anew: the time since the last mark belongs to nobody.
  public func begin() { last = ContinuousClock.now }

  /// The time since the last mark was spent on `name`.
  /// - Parameter flops: what was computed meanwhile, multiply-adds times two.
  public func mark(_ name: String, flops: Double = 0) {
    let now = ContinuousClock.now
    let (seconds, attoseconds) = (now - last).components
    var entry = entries[name] ?? Entry()
    entry.calls += 1
    entry.seconds += Double(seconds) + Double(attoseconds) * 1e-18
    entry.flops += flops
    entries[name] = entry
    last = ContinuousClock.now
  }

  /// Forgets everything.
  public func clear() {
    entries.removeAll()
    begin()
  }

  /// Adds what another worker spent.
  public func add(_ other: Profile) {
    for (name, entry) in other.entries {
      entries[name, default: Entry()].calls += entry.calls
      entries[name]!.seconds += entry.seconds
      entries[name]!.flops += entry.flops
    }
  }
}
