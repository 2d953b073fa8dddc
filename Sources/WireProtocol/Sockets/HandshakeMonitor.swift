import CZeroMQ

/// Listens to what becomes of a client's handshakes: a refusal shows nowhere else.
public final class HandshakeMonitor {
  private let socket: UnsafeMutableRawPointer
  // Keeps the context.
  private let context: Context
  private let hasKeys: Bool
  /// Handshakes in a row that the server broke off, each soon after the one before.
  private var brokenOff = 0
  private var lastBreak = ContinuousClock.now

  /// - Parameters:
  ///   - watched: to be called before it connects; it belongs to the same thread.
  ///   - hasKeys: of the client. Without keys there is nothing that a server could not read: who hangs up is one that is gone, behind a
  ///     tunnel that is there.
  public init(_ watched: borrowing Socket, in context: Context, hasKeys: Bool) throws(WireError) {
    let endpoint = "inproc://handshake-\(Identifier.random())"
    let events =
      ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
      | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
    guard zmq_socket_monitor(watched.handle, endpoint, events) == 0,
      let socket = zmq_socket(context.handle, ZMQ_PAIR)
    else { throw .last("zmq_socket_monitor") }
    self.context = context
    self.socket = socket
    self.hasKeys = hasKeys
    var none: Int32 = 0
    zmq_setsockopt(socket, ZMQ_LINGER, &none, MemoryLayout<Int32>.size)
    guard zmq_connect(socket, endpoint) == 0 else { throw .last("zmq_connect", endpoint) }
  }

  deinit { zmq_close(socket) }

  /// Why the server does not let this client in; nil as long as it may.
  public func refusal() -> String? {
    var reason: String?
    var isBroken = false
    while let event = next() {
      switch Int32(event.number) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: (reason, brokenOff, isBroken) = (nil, 0, false)
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        reason = "the server does not know this client's key (\(event.value))"
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        reason =
          event.value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
          ? "one end uses CURVE keys and the other none" : "the handshake failed"
      default: isBroken = true
      }
    }
    // Once may be a server that just died; one that is frozen lets handshakes run out, which takes seconds.
    if isBroken, hasKeys {
      brokenOff = .now - lastBreak < .seconds(1) ? brokenOff + 1 : 1
      lastBreak = .now
      if brokenOff >= 2 { reason = "the server breaks off the handshake: is its public key the right one?" }
    }
    return reason
  }

  private func next() -> (number: UInt16, value: Int32)? {
    var bytes = [UInt8](repeating: 0, count: 6)
    guard zmq_recv(socket, &bytes, 6, ZMQ_DONTWAIT) == 6 else { return nil }
    var address = [UInt8](repeating: 0, count: 256)
    zmq_recv(socket, &address, address.count, ZMQ_DONTWAIT)
    return bytes.withUnsafeBytes {
      ($0.loadUnaligned(as: UInt16.self), $0.loadUnaligned(fromByteOffset: 2, as: Int32.self))
    }
  }

  /// Waits until a message can be sent through the watched socket, a handshake was decided, or the time is
  /// over.
  public func wait(toSend watched: borrowing Socket, milliseconds: Int) {
    var items = (
      zmq_pollitem_t(socket: watched.handle, fd: 0, events: Int16(ZMQ_POLLOUT), revents: 0),
      zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    )
    _ = withUnsafeMutableBytes(of: &items) { bytes in
      zmq_poll(bytes.bindMemory(to: zmq_pollitem_t.self).baseAddress, 2, milliseconds)
    }
  }
}
