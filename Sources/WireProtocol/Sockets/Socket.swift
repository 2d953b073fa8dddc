import CZeroMQ

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A ZeroMQ socket. It belongs to one thread; it closes when it goes out of scope, dropping what was not
/// sent.
public struct Socket: ~Copyable {
  public enum Kind: Sendable {
    /// A server's: messages come with the identity of their peer and go by it.
    case router
    /// A client's.
    case dealer
    /// Answers one question at a time, within the process.
    case reply
  }

  /// What became of a message.
  public enum SendOutcome: Sendable {
    case sent
    /// As many messages as allowed wait for this peer already, or (at a client) no server is connected.
    case full
    /// The peer of that identity is gone.
    case unreachable
  }

  let handle: UnsafeMutableRawPointer
  private let context: Context

  /// - Throws: ``WireError/socket(call:endpoint:reason:)``
  public init(_ kind: Kind, in context: Context, _ options: SocketOptions) throws(WireError) {
    self.handle = try Socket.handle(kind, in: context, options)
    self.context = context
  }

  private static func handle(
    _ kind: Kind, in context: Context, _ options: SocketOptions
  ) throws(WireError) -> UnsafeMutableRawPointer {
    let type =
      switch kind {
      case .router: ZMQ_ROUTER
      case .dealer: ZMQ_DEALER
      case .reply: ZMQ_REP
      }
    guard let handle = zmq_socket(context.handle, type) else { throw .last("zmq_socket") }
    do {
      try options.apply(to: handle, kind: kind)
      return handle
    } catch {
      zmq_close(handle)
      throw error
    }
  }

  deinit { zmq_close(handle) }

  /// Binds, and tells the endpoint that it became (a port `*` is a number then).
  public func bind(_ endpoint: String) throws(WireError) -> String {
    setAddressFamily(of: endpoint)
    guard zmq_bind(handle, endpoint) == 0 else { throw .last("cannot bind", endpoint) }
    var name = [CChar](repeating: 0, count: 512)
    var size = name.count
    guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &name, &size) == 0 else { return endpoint }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  public func connect(_ endpoint: String) throws(WireError) {
    setAddressFamily(of: endpoint)
    guard zmq_connect(handle, endpoint) == 0 else { throw .last("cannot connect to", endpoint) }
  }

  /// IPv6 only where it is meant: with it on, an IPv4 address becomes a mapped one.
  private func setAddressFamily(of endpoint: String) {
    var isIPv6: Int32 = endpoint.contains("[") ? 1 : 0
    zmq_setsockopt(handle, ZMQ_IPV6, &isIPv6, MemoryLayout<Int32>.size)
  }

  /// Sends a whole message, or nothing of it. Never waits. The frames can be sent again: their bytes are
  /// shared.
  public func send(_ frames: [Frame], to peer: Frame? = nil) throws(WireError) -> SendOutcome {
    // A peer's identity with nothing after it would take the next message for its own.
    guard !frames.isEmpty else { return .sent }
    var first = true
    if let peer {
      let outcome = try send(peer, more: true)
      guard outcome == .sent else { return outcome }
      first = false
    }
    for (index, frame) in frames.enumerated() {
      let outcome = try send(frame, more: index + 1 < frames.count)
      // Once the first part is taken, ZeroMQ takes them all.
      guard outcome == .sent || !first else { return outcome }
      first = false
    }
    return .sent
  }

  private func send(_ frame: Frame, more: Bool) throws(WireError) -> SendOutcome {
    var copy = zmq_msg_t()
    zmq_msg_init(&copy)
    zmq_msg_copy(&copy, frame.message)
    var isFresh = false
    while zmq_msg_send(&copy, handle, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) < 0 {
      let code = zmq_errno()
      if code == EINTR { continue }
      if code == EAGAIN && !isFresh {
        // ZeroMQ takes note of what peers have read only now and then; asked for its events it does so now.
        isFresh = true
        var events: Int32 = 0
        var size = MemoryLayout<Int32>.size
        zmq_getsockopt(handle, ZMQ_EVENTS, &events, &size)
        continue
      }
      defer { zmq_msg_close(&copy) }
      switch code {
      case EAGAIN: return .full
      case EHOSTUNREACH: return .unreachable
      default: throw .last("cannot send")
      }
    }
    return .sent
  }

  /// A whole message where one is there, else nil. Never waits.
  /// - Parameter limit: frames that are kept; those after it are dropped, but counted as one more, so that
  ///   a message with too many is seen to have too many.
  public func receive(limit: Int) throws(WireError) -> [Frame]? {
    var frames: [Frame] = []
    frames.reserveCapacity(10)
    while true {
      let frame = Frame(byteCount: 0)
      if zmq_msg_recv(frame.message, handle, ZMQ_DONTWAIT) < 0 {
        switch zmq_errno() {
        case EINTR: continue
        case EAGAIN: return nil
        default: throw .last("cannot receive")
        }
      }
      if frames.count <= limit { frames.append(frame) }
      if zmq_msg_more(frame.message) == 0 { return frames }
    }
  }

  /// A whole message, waited for as long as told; nil where none came, or a signal ended the wait.
  public func receive(limit: Int, within milliseconds: Int) throws(WireError) -> [Frame]? {
    var time = Int32(clamping: milliseconds)
    zmq_setsockopt(handle, ZMQ_RCVTIMEO, &time, MemoryLayout<Int32>.size)
    let first = Frame(byteCount: 0)
    guard zmq_msg_recv(first.message, handle, 0) >= 0 else {
      switch zmq_errno() {
      case EINTR, EAGAIN: return nil
      default: throw .last("cannot receive")
      }
    }
    guard zmq_msg_more(first.message) != 0 else { return [first] }
    // The parts of a message come all at once.
    return [first] + (try receive(limit: limit - 1) ?? [])
  }

  /// Waits until a message may be there, `wake` was called (that sign is taken then), or the time is over. It
  /// may return early: the caller looks at its clock and comes back.
  ///
  /// To be called after ``receive(limit:)`` has found nothing, and nothing was sent since: the socket's
  /// descriptor tells of what is new, not of what is there.
  public func waitForMore(milliseconds: Int, or wake: WakeUp) throws(WireError) {
    var descriptor: Int32 = -1
    var size = MemoryLayout<Int32>.size
    guard zmq_getsockopt(handle, ZMQ_FD, &descriptor, &size) == 0 else { throw .last("cannot poll") }
    var items = (
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake.readEnd, events: Int16(POLLIN), revents: 0)
    )
    let result = withUnsafeMutableBytes(of: &items) { bytes in
      poll(bytes.bindMemory(to: pollfd.self).baseAddress, 2, Int32(clamping: milliseconds))
    }
    if result > 0 && items.1.revents != 0 { wake.clear() }
  }

  /// Waits until a message can be received or the time is over.
  /// - Returns: whether one can be received.
  public func wait(milliseconds: Int) throws(WireError) -> Bool {
    try wait(for: ZMQ_POLLIN, milliseconds: milliseconds)
  }

  /// Waits until a message can be received from this socket or another, or the time is over.
  public func wait(besides other: borrowing Socket, milliseconds: Int) throws(WireError) {
    var items = (
      zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
      zmq_pollitem_t(socket: other.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    )
    _ = withUnsafeMutableBytes(of: &items) { bytes in
      zmq_poll(bytes.bindMemory(to: zmq_pollitem_t.self).baseAddress, 2, milliseconds)
    }
  }

  /// Waits until a message can be sent (at a client: until a server is connected) or the time is over.
  /// - Returns: whether one can be sent.
  public func waitToSend(milliseconds: Int) throws(WireError) -> Bool {
    try wait(for: ZMQ_POLLOUT, milliseconds: milliseconds)
  }

  private func wait(for events: Int32, milliseconds: Int) throws(WireError) -> Bool {
    var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(events), revents: 0)
    guard zmq_poll(&item, 1, milliseconds) >= 0 else {
      // A signal ends the wait as time does.
      if zmq_errno() == EINTR { return false }
      throw .last("cannot poll")
    }
    return item.revents != 0
  }

  /// Lets what was sent still leave for so long after the socket is closed.
  public func linger(milliseconds: Int32) {
    var time = milliseconds
    zmq_setsockopt(handle, ZMQ_LINGER, &time, MemoryLayout<Int32>.size)
  }
}
