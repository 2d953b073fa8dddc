import AgentSDK
import Environments
import Foundation
import TestSupport
import Testing
import WireProtocol
import WorldServer

@Suite struct SecurityTests {
  /// A server with keys, and the list of its clients.
  private struct SafeServer {
    let server: TestServer
    let own: CurveKeyPair
    let list: URL

    init(_ folder: TemporaryFolder, _ clients: [CurveKeyPair]) throws {
      let own = try CurveKeyPair()
      let list = folder.url.appending(path: "clients")
      try SafeServer.write(clients, to: list)
      server = try TestServer("tcp://127.0.0.1:*") {
        $0.security = ServerSecurity(key: own, clients: try! AllowList(list))
      }
      self.own = own
      self.list = list
    }

    static func write(_ clients: [CurveKeyPair], to list: URL) throws {
      try Data(("# clients\n" + clients.map { "\($0.publicKey)\n" }.joined()).utf8).write(to: list)
    }

    func connect(_ pair: CurveKeyPair?, server key: CurveKey? = nil) throws -> RemotePool {
      try RemotePool(
        server.endpoint, keys: pair.map { ClientKeys(own: $0, server: key ?? own.publicKey) })
    }
  }

  private func expectRefused(_ body: () throws -> Void) {
    let start = ContinuousClock.now
    do {
      try body()
      Issue.record("it was let in")
    } catch EnvironmentError.refused {
      #expect(ContinuousClock.now - start < .seconds(2))
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func onlyListedKeysGetIn() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let (friend, stranger) = (try CurveKeyPair(), try CurveKeyPair())
    let safe = try SafeServer(temporary, [friend])
    let pool = try safe.connect(friend)
    #expect(try pool.open(OpenOptions()).index == 0)
    expectRefused { _ = try safe.connect(stranger) }
    expectRefused { _ = try safe.connect(nil) }
    expectRefused { _ = try safe.connect(friend, server: stranger.publicKey) }
    let open = try TestServer("tcp://127.0.0.1:*")
    expectRefused {
      _ = try RemotePool(open.endpoint, keys: ClientKeys(own: friend, server: safe.own.publicKey))
    }
  }

  @Test func aRevokedKeyIsRefusedAtOnce() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let friend = try CurveKeyPair()
    let safe = try SafeServer(temporary, [friend])
    let pool = try safe.connect(friend)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    try SafeServer.write([], to: safe.list)
    Thread.sleep(forTimeInterval: 0.4)
    expectRefused { try pool.step([slot], [0], into: &batch) }
    expectRefused { _ = try safe.connect(friend) }
  }

  /// Who knows another's token still has no session.
  @Test func sessionsBelongToTheirKey() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let (one, other) = (try CurveKeyPair(), try CurveKeyPair())
    let safe = try SafeServer(temporary, [one, other])
    func client(_ pair: CurveKeyPair) throws -> RawClient {
      try RawClient(safe.server.endpoint, keys: ClientKeys(own: pair, server: safe.own.publicKey))
    }
    let owner = try client(one)
    _ = try owner.open()
    let thief = try client(other)
    (thief.epoch, thief.session) = (owner.epoch, owner.session)
    let attempts = [
      try thief.step([0], 2), try thief.ask(Message(thief.envelope(.ping, 2))),
      try thief.ask(Message(thief.envelope(.resume, 3))),
    ]
    #expect(attempts.map(\.status) == [.sessionLost, .sessionLost, .sessionLost])
    let own = try owner.step([0], 2)
    #expect(try own.counts(1) == [1])
  }

  @Test func otherMachinesOnlyWithKeys() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let list = temporary.url.appending(path: "clients")
    try SafeServer.write([], to: list)
    let own = try CurveKeyPair()
    #expect(throws: ServerError.notLocal(endpoint: "tcp://0.0.0.0:*")) { try TestServer("tcp://0.0.0.0:*") }
    let server = try TestServer("tcp://0.0.0.0:*") {
      $0.security = ServerSecurity(key: own, clients: try! AllowList(list))
    }
    #expect(server.endpoint.hasPrefix("tcp://0.0.0.0:"))
  }
}
