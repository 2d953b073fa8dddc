import CZeroMQ

/// Every option of a socket that ZeroMQ's own default would leave unbounded or silent.
public struct SocketOptions: Sendable {
  /// Messages that wait for one peer, out and in. (ZeroMQ counts messages, not bytes.)
  public var sendLimit: Int32
  public var receiveLimit: Int32
  /// Bytes of one incoming frame; a peer that sends more is disconnected.
  public var frameBytes: Int
  /// A ping of the transport every so often, and how long its answer may take: it finds connections whose other
  /// end vanished. (Not more often: ZeroMQ looks through the timers of all connections for each of them.)
  public var heartbeatMilliseconds: Int32 = 30_000
  public var heartbeatTimeoutMilliseconds: Int32 = 30_000
  /// How long a peer may take to say that it speaks ZeroMQ.
  public var handshakeMilliseconds: Int32 = 3_000
  public var reconnectMilliseconds: Int32 = 50
  public var reconnectLimitMilliseconds: Int32 = 1_000
  public var backlog: Int32 = 1_024
  public var curve: Curve?

  /// Encryption, and who is who.
  public enum Curve: Sendable {
    case server(CurveKeyPair)
    case client(ClientKeys)
  }

  public init(sendLimit: Int32, receiveLimit: Int32, frameBytes: Int) {
    self.sendLimit = sendLimit
    self.receiveLimit = receiveLimit
    self.frameBytes = frameBytes
  }

  /// A server's, for the given limits.
  public static func server(_ limits: Limits) -> SocketOptions {
    SocketOptions(
      sendLimit: Int32(Limits.repliesPerConnection), receiveLimit: 16, frameBytes: limits.frameBytes)
  }

  /// A client's: it takes the largest reply that a server of default limits makes.
  public static var client: SocketOptions {
    SocketOptions(sendLimit: 16, receiveLimit: 16, frameBytes: Limits().replyBytes)
  }

  func apply(to socket: UnsafeMutableRawPointer, kind: Socket.Kind) throws(WireError) {
    func set<Value: BitwiseCopyable>(_ option: Int32, _ value: Value) throws(WireError) {
      let result = withUnsafeBytes(of: value) { zmq_setsockopt(socket, option, $0.baseAddress, $0.count) }
      guard result == 0 else { throw .last("zmq_setsockopt \(option)") }
    }
    try set(ZMQ_LINGER, Int32(0))
    try set(ZMQ_SNDHWM, sendLimit)
    try set(ZMQ_RCVHWM, receiveLimit)
    // Room for a large batch at once: with less, the two ends' threads take turns waiting for each other.
    try set(kind == .router ? ZMQ_SNDBUF : ZMQ_RCVBUF, Int32(1 << 20))
    try set(ZMQ_MAXMSGSIZE, Int64(frameBytes))
    try set(ZMQ_HEARTBEAT_IVL, heartbeatMilliseconds)
    try set(ZMQ_HEARTBEAT_TIMEOUT, heartbeatTimeoutMilliseconds)
    try set(ZMQ_HEARTBEAT_TTL, 2 * heartbeatTimeoutMilliseconds)
    try set(ZMQ_HANDSHAKE_IVL, handshakeMilliseconds)
    try set(ZMQ_TCP_KEEPALIVE, Int32(1))
    switch kind {
    case .router:
      // A reply to a client that is gone is an error here, not silence.
      try set(ZMQ_ROUTER_MANDATORY, Int32(1))
      try set(ZMQ_BACKLOG, backlog)
    case .dealer:
      // Nothing is queued for a server that is not there.
      try set(ZMQ_IMMEDIATE, Int32(1))
      try set(ZMQ_RECONNECT_IVL, reconnectMilliseconds)
      try set(ZMQ_RECONNECT_IVL_MAX, reconnectLimitMilliseconds)
    case .reply: break
    }
    func set(_ option: Int32, _ text: String) throws(WireError) {
      guard zmq_setsockopt(socket, option, text, text.utf8.count) == 0 else {
        throw .last("zmq_setsockopt \(option)")
      }
    }
    switch curve {
    case .server(let pair):
      try set(ZMQ_CURVE_SERVER, Int32(1))
      try set(ZMQ_CURVE_SECRETKEY, pair.secretKey.description)
      // Without a domain, ZeroMQ asks nobody.
      try set(ZMQ_ZAP_DOMAIN, "genie")
    case .client(let keys):
      try set(ZMQ_CURVE_SERVERKEY, keys.server.description)
      try set(ZMQ_CURVE_PUBLICKEY, keys.own.publicKey.description)
      try set(ZMQ_CURVE_SECRETKEY, keys.own.secretKey.description)
    case nil: break
    }
  }
}
