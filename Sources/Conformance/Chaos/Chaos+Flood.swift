import AgentSDK
import Environments
import Foundation
import WireProtocol

extension Chaos {
  /// Connections that begin a handshake and never end it, wave after wave, beside a session that steps on; those
  /// of the last wave stay half-open until the server hangs up.
  func flood() throws -> Row {
    Context.raiseDescriptorLimit()
    let server = try ChildServer(genie, "tcp://127.0.0.1:*")
    let pool = try RemotePool(server.endpoint, environment: "Noop-v1")
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    let before = server.descriptors
    let total = scaled(100_000, atLeast: 1_000)
    // The first ten bytes of ZMTP's greeting: more is due.
    let greeting: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F]
    var wave: [RawConnection] = []
    var (tried, made, slowest, most) = (0, 0, 0.0, 0)
    while tried < total {
      wave.removeAll()
      let size = min(500, total - tried)
      for index in 0..<size {
        guard let connection = RawConnection(server.endpoint) else { continue }
        if index % 2 == 0 { connection.send(greeting) }
        wave.append(connection)
      }
      tried += size
      made += wave.count
      for _ in 0..<20 { slowest = max(slowest, try seconds { try pool.step([slot], [0], into: &batch) }) }
      most = max(most, server.descriptors)
      progress("flood", tried, total)
    }
    let elapsed = seconds {
      let deadline = ContinuousClock.now + .seconds(15)
      while server.descriptors > before + 2, ContinuousClock.now < deadline {
        Thread.sleep(forTimeInterval: 0.1)
      }
    }
    let left = server.descriptors - before
    withExtendedLifetime(wave) {}
    return Row(
      trial: .flood, check: "\(total) handshakes that are never ended",
      demanded: ">= 90% of the connections made; a session steps on (<= 1 s), descriptors back within 15 s",
      measured: String(
        format: "%d made, slowest step %.0f ms; %d descriptors at most, %+d after %.1f s", made,
        slowest * 1e3,
        most, left, elapsed),
      passed: 10 * made >= 9 * total && slowest <= 1 && left <= 2,
      figures: [
        "connections": Double(made), "slowest_ms": slowest * 1e3, "descriptors": Double(left),
        "seconds": elapsed,
      ])
  }
}
