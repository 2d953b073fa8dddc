import Foundation
import Testing
import WireProtocol
import WorldServer

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite struct MetricsTests {
  /// A server that tells its counters, at a port that nobody else has.
  private func server() throws -> (TestServer, port: UInt16) {
    while true {
      let port = UInt16.random(in: 20_000...60_000)
      do { return (try TestServer { $0.metricsPort = port }, port) } catch ServerError.wire { continue }
    }
  }

  private func page(_ port: UInt16, _ path: String = "metrics") -> String? {
    try? String(contentsOf: URL(string: "http://127.0.0.1:\(port)/\(path)")!, encoding: .utf8)
  }

  @Test func countersAreTold() throws {
    let (server, port) = try server()
    let client = try RawClient(server.endpoint)
    _ = try client.open(3)
    _ = try client.step([0, 0, 0], 2)
    _ = try client.step([0, 0, 0], 2)
    // They are at most a second old.
    let deadline = ContinuousClock.now + .seconds(10)
    var text = ""
    while !text.contains("genie_steps_total 3\n"), ContinuousClock.now < deadline {
      Thread.sleep(forTimeInterval: 0.1)
      text = try #require(page(port))
    }
    let lines = Set(text.split(separator: "\n").map(String.init))
    for line in [
      "# TYPE genie_sessions gauge", "genie_sessions 1", "# TYPE genie_steps_total counter",
      "genie_steps_total 3", "genie_repeated_replies_total 1", "genie_requests_total 3", "genie_gaps_total 0",
    ] { #expect(lines.contains(line), "\(line)") }
    #expect(page(port, "else") == nil || page(port, "else") == "")
  }

  @Test func aTakenPortIsTyped() throws {
    let (server, port) = try server()
    defer { withExtendedLifetime(server) {} }
    #expect(throws: ServerError.self) { try TestServer { $0.metricsPort = port } }
  }

  /// A connection on which nothing was said yet; closed by the caller.
  private func connection(_ port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
    return descriptor
  }

  @Test func theSilentHoldUpNobody() throws {
    let (server, port) = try server()
    defer { withExtendedLifetime(server) {} }
    let descriptor = try connection(port)
    defer { close(descriptor) }
    #expect(page(port)?.contains("genie_sessions") == true)
  }

  /// The descriptor of this process that listens at a port.
  private func listener(_ port: UInt16) -> Int32? {
    (3..<4_096 as Range<Int32>).first { descriptor in
      var address = sockaddr_in()
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
      }
      var isListening: Int32 = 0
      size = socklen_t(MemoryLayout<Int32>.size)
      getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size)
      return result == 0 && isListening == 1 && address.sin_family == sa_family_t(AF_INET)
        && address.sin_port == port.bigEndian
    }
  }

  /// Where no connection can be taken for a while, those after it can.
  @Test func aRefusalIsNotTheEnd() throws {
    let (server, port) = try server()
    defer { withExtendedLifetime(server) {} }
    let listening = try #require(listener(port))
    let flags = fcntl(listening, F_GETFL)
    // A socket that does not wait fails like one for which no descriptor is left, and no other test feels it.
    _ = fcntl(listening, F_SETFL, flags | O_NONBLOCK)
    for _ in 0..<2 {
      let descriptor = try connection(port)
      defer { close(descriptor) }
      var patience = timeval(tv_sec: 2, tv_usec: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
      let request = Array("GET /metrics HTTP/1.1\r\n\r\n".utf8)
      _ = send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
      var answer = [UInt8](repeating: 0, count: 12)
      let count = recv(descriptor, &answer, answer.count, 0)
      #expect(count == 12)
      #expect(String(decoding: answer, as: UTF8.self) == "HTTP/1.1 200")
      // Until the endpoint has found that nobody else is there.
      Thread.sleep(forTimeInterval: 0.05)
    }
    // It waits again when the server goes.
    _ = fcntl(listening, F_SETFL, flags)
    Thread.sleep(forTimeInterval: 0.2)
  }
}
