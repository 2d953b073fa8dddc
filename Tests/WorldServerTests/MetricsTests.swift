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

  @Test func theSilentHoldUpNobody() throws {
    let (server, port) = try server()
    defer { withExtendedLifetime(server) {} }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
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
    #expect(page(port)?.contains("genie_sessions") == true)
  }
}
