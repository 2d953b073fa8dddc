/// The bounds within which an end works, told in `hello` (PROTOCOL.md section 6).
public struct Limits: Codable, Hashable, Sendable {
  /// Bytes of one frame to the server.
  public var frameBytes = 16 << 20
  /// Bytes of the observations of one reply.
  public var replyBytes = 256 << 20
  public var metadataBytes = 64 << 10
  /// Payloads of one message.
  public var payloads = 16
  public var sessions = 8192
  public var slotsPerSession = 4096
  /// Requests that wait for the environments.
  public var queuedRequests = 1024

  public init() {}

  /// For what this end has written itself.
  package static var unlimited: Limits {
    var limits = Limits()
    (limits.metadataBytes, limits.payloads, limits.slotsPerSession) = (.max, .max, .max)
    return limits
  }

  /// Replies that wait for one connection that does not read; more are dropped.
  public static let repliesPerConnection = 4
}
