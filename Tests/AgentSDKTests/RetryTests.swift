import AgentSDK
import Environments
import Foundation
import Testing
import WorldServer

@Suite struct RetryTests {
  private func policy(resend: Double, silence: Double = 2.5, timeout: Double = 60) -> RetryPolicy {
    var policy = RetryPolicy()
    (policy.resendSeconds, policy.silenceSeconds, policy.timeoutSeconds) = (resend, silence, timeout)
    return policy
  }

  /// A step that takes many resends happens once, and a server that is busy is not taken for dead.
  @Test func askingAgainStepsOnce() throws {
    let server = try GameServer(slowSeconds: 0.6)
    let pool = try RemotePool(
      server.endpoint, environment: "Slow-v1", retry: policy(resend: 0.05, silence: 0.3))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    for step in 1...3 {
      try pool.step([slot], [0], into: &batch)
      #expect(batch.rewards == [Float(step)])
    }
  }

  @Test func aStepThatTimedOutIsResumed() throws {
    let server = try GameServer(slowSeconds: 0.6)
    let pool = try RemotePool(
      server.endpoint, environment: "Slow-v1", retry: policy(resend: 0.1, timeout: 0.25))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    #expect(throws: EnvironmentError.timedOut(operation: "step", seconds: 0.25)) {
      try pool.step([slot], [0], into: &batch)
    }
    Thread.sleep(forTimeInterval: 0.5)
    try pool.step([slot], [0], into: &batch)
    #expect(batch.rewards == [1], "the same step, not another one")
    #expect(throws: EnvironmentError.self) { try pool.step([slot], [1], into: &batch) }
    Thread.sleep(forTimeInterval: 0.5)
    try pool.reset([slot], [ResetOptions()], into: &batch)
    #expect(batch.rewards == [0], "another call first sees the step through")
  }

  @Test func noServerIsDisconnected() throws {
    let start = ContinuousClock.now
    do {
      _ = try RemotePool("tcp://127.0.0.1:9", retry: policy(resend: 0.2, silence: 0.5))
      Issue.record("connected to nothing")
    } catch {
      guard case .disconnected = error else { throw error }
    }
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  /// The death of a server is told in time; its successor has other sessions, and says so.
  @Test func aRestartedServerHasLostTheSession() throws {
    let first = try GameServer("tcp://127.0.0.1:*")
    let endpoint = first.endpoint
    let pool = try RemotePool(endpoint, environment: "Noop-v1", retry: policy(resend: 0.2, silence: 0.6))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    first.server.stop()
    do {
      try pool.step([slot], [0], into: &batch)
      Issue.record("stepped in nothing")
    } catch {
      guard case .disconnected = error else { throw error }
    }
    let second = try GameServer(endpoint)
    do {
      try pool.step([slot], [0], into: &batch)
      Issue.record("stepped in a session that nobody has")
    } catch {
      guard case .sessionLost = error else { throw error }
    }
    let again = try RemotePool(second.endpoint, environment: "Noop-v1")
    #expect(try again.open(OpenOptions()).index == 0)
  }

  @Test func droppedClientsFreeTheirSlots() throws {
    let server = try GameServer()
    // 20,000 slots, and there are 16,384.
    for _ in 0..<5 {
      let pool = try RemotePool(server.endpoint, environment: "Noop-v1")
      #expect(try pool.open(OpenOptions(), count: 4_000).count == 4_000)
    }
    let pool = try RemotePool(server.endpoint, environment: "Noop-v1")
    #expect(try pool.open(OpenOptions(), count: 10).count == 10)
    #expect(try pool.ping().sessions == 1)
  }
}

extension RetryTests {
  /// A tunnel to a server that is gone takes connections and hangs up: that is no refusal, for who has no keys.
  @Test func whoHangsUpWithoutKeysDoesNotRefuse() throws {
    let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(listening >= 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listening, $0, size) == 0 && listen(listening, 8) == 0 && getsockname(listening, $0, &size) == 0
      }
    }
    try #require(isBound)
    Thread.detachNewThread {
      while case let descriptor = accept(listening, nil, nil), descriptor >= 0 { close(descriptor) }
    }
    defer { shutdown(listening, Int32(SHUT_RDWR)) }
    let endpoint = "tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    #expect {
      _ = try RemotePool(endpoint, retry: policy(resend: 0.1, silence: 1))
    } throws: {
      guard case EnvironmentError.disconnected = $0 else { return false }
      return true
    }
  }
}
