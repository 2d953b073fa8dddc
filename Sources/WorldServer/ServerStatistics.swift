/// Counters of a server since it started, told by the operation `stats`.
public struct ServerStatistics: Codable, Hashable, Sendable {
  public var requests = 0
  /// Replies that were sent again from the cache.
  public var repeated = 0
  public var stale = 0
  public var gaps = 0
  public var lost = 0
  public var busy = 0
  /// Messages that were none of the protocol.
  public var malformed = 0
  /// Replies to connections that were gone, or that did not read.
  public var undelivered = 0
  public var sessionsStarted = 0
  public var sessionsExpired = 0
  /// Taken up from an earlier incarnation.
  public var sessionsResumed = 0
  public var sessions = 0
  public var queued = 0
  /// Calls of a pool's `step` and `reset`, and steps of single environments in them.
  public var rounds = 0
  public var steps = 0
  /// Episodes started.
  public var resets = 0

  public init() {}
}
