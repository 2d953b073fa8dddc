import CZeroMQ

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// ZeroMQ's threads and sockets of one server or client. Safe from any thread; a socket keeps its context
/// alive.
public final class Context: Sendable {
  nonisolated(unsafe) let handle: UnsafeMutableRawPointer

  /// - Parameter socketLimit: how many sockets it can have.
  /// - Throws: ``WireError/socket(call:endpoint:reason:)`` where the system has no room for another.
  public init(socketLimit: Int32 = 1_023) throws(WireError) {
    guard let handle = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
    zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, socketLimit)
    self.handle = handle
  }

  deinit { zmq_ctx_term(handle) }

  /// Lets this process have as many connections as the system allows: each needs a descriptor.
  public static func raiseDescriptorLimit() {
    var limit = rlimit()
    #if canImport(Glibc)
      let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let kind = RLIMIT_NOFILE
    #endif
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(kind, &limit)
  }
}

extension WireError {
  /// The error of the ZeroMQ call that just failed on this thread.
  static func last(_ call: String, _ endpoint: String = "") -> WireError {
    .socket(call: call, endpoint: endpoint, reason: String(cString: zmq_strerror(zmq_errno())))
  }
}
