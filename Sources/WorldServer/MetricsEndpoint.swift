import Foundation
import WireProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The counters in the text format of Prometheus, over HTTP, on this machine only.
final class MetricsEndpoint: Sendable {
  private let descriptor: Int32

  /// - Parameters:
  ///   - port: 0 takes any free one.
  ///   - statistics: the newest counters.
  init(port: UInt16, _ statistics: @escaping @Sendable () -> ServerStatistics) throws(WireError) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, isBound == 0, listen(descriptor, 16) == 0 else {
      let reason = String(cString: strerror(errno))
      if descriptor >= 0 { close(descriptor) }
      throw .socket(call: "cannot bind", endpoint: "http://127.0.0.1:\(port)", reason: reason)
    }
    self.descriptor = descriptor
    let thread = Thread {
      // Its number is given out again only when nobody waits at it any more.
      defer { close(descriptor) }
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else {
          // Shut down, which is the end. All else passes, a want of descriptors too.
          if errno == EBADF || errno == EINVAL { return }
          Thread.sleep(forTimeInterval: 0.1)
          continue
        }
        Self.answer(connection, statistics())
      }
    }
    thread.name = "genie metrics"
    thread.start()
  }

  /// Ends the thread's wait, and with it the thread.
  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private static func answer(_ connection: Int32, _ statistics: ServerStatistics) {
    defer { close(connection) }
    // Whoever connects and says nothing holds up nobody for long.
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var request = [UInt8](repeating: 0, count: 4_096)
    let count = recv(connection, &request, request.count, 0)
    guard count > 0 else { return }
    let isKnown = ["GET /metrics ", "GET / "].contains { request.prefix(count).starts(with: $0.utf8) }
    let body = isKnown ? statistics.prometheus : ""
    let reply =
      "HTTP/1.1 \(isKnown ? "200 OK" : "404 Not Found")\r\nContent-Type: text/plain; version=0.0.4\r\n"
      + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    let bytes = Array(reply.utf8)
    _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
}

extension ServerStatistics {
  /// One line a counter, in the text format of Prometheus.
  public var prometheus: String {
    let gauges = [("sessions", sessions), ("queued_requests", queued)]
    let counters = [
      ("requests", requests), ("repeated_replies", repeated), ("stale", stale), ("gaps", gaps),
      ("lost", lost),
      ("busy", busy), ("malformed", malformed), ("undelivered_replies", undelivered),
      ("sessions_started", sessionsStarted), ("sessions_expired", sessionsExpired),
      ("sessions_resumed", sessionsResumed), ("rounds", rounds), ("steps", steps), ("resets", resets),
    ]
    return gauges.map { "# TYPE genie_\($0.0) gauge\ngenie_\($0.0) \($0.1)\n" }.joined()
      + counters.map { "# TYPE genie_\($0.0)_total counter\ngenie_\($0.0)_total \($0.1)\n" }.joined()
  }
}
