/// How long a client waits, and what it does meanwhile. Asking again is harmless: a step happens once.
public struct RetryPolicy: Sendable, Hashable {
  /// Seconds without an answer after which the same request goes out again, through a new socket, with a ping.
  public var resendSeconds = 1.0
  /// Seconds without a word from the server, not even to a ping, after which it counts as gone.
  public var silenceSeconds = 2.5
  /// Seconds that one call may take at a server that lives.
  public var timeoutSeconds = 60.0

  public init() {}
}
