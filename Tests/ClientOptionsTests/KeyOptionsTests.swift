import AgentSDK
import ClientOptions
import Environments
import Foundation
import TestSupport
import Testing
import WireProtocol
import WorldServer

@testable import PPOAgent
@testable import RandomAgent
@testable import genie

@Suite struct KeyOptionsTests {
  /// Two servers with one pair of keys, as those of a fleet have it, and the files of an agent that they let in.
  private final class SafeServers {
    let keys: ClientKeys
    /// What an agent writes.
    let arguments: [String]
    private(set) var endpoints: [String] = []
    private let folder: TemporaryFolder
    private let servers: [EnvironmentServer]

    init() throws {
      folder = try TemporaryFolder()
      let (pair, agent) = (try CurveKeyPair(), try CurveKeyPair())
      let files = (
        agent: try KeyFile.write(agent, to: folder.file("agent")),
        server: try KeyFile.write(pair, to: folder.file("server"))
      )
      _ = try AllowList.add(agent.publicKey, named: "agent", to: folder.file("clients"))
      keys = ClientKeys(own: agent, server: pair.publicKey)
      arguments = ["--key", files.agent.secret.path, "--server-key", files.server.public.path]
      var configuration = ServerConfiguration(endpoints: ["tcp://127.0.0.1:*"])
      configuration.security = ServerSecurity(key: pair, clients: try AllowList(folder.file("clients")))
      servers = (0..<2).map { _ in EnvironmentServer(configuration, catalogue: .builtIn) }
      for server in servers { endpoints += try server.start() }
    }

    deinit { for server in servers { server.stop() } }
  }

  private func expectRefused(_ body: () throws -> Void) {
    do {
      try body()
      Issue.record("it was let in")
    } catch EnvironmentError.refused {
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func bothAreGivenOrNeither() throws {
    #expect(try KeyOptions.parse([]).keys() == nil)
    for half in [["--key", "a.secret"], ["--server-key", "a.public"]] {
      #expect(throws: (any Error).self) { try KeyOptions.parse(half) }
      #expect(throws: (any Error).self) {
        try PPOAgent.parse(["--endpoint", "tcp://a:5555", "--out", "agent"] + half)
      }
    }
  }

  @Test func filesThatAreWrongSayHow() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let (secret, open) = try KeyFile.write(try CurveKeyPair(), to: temporary.file("agent"))
    let missing = temporary.file("missing").path
    func options(_ key: String, _ serverKey: String) throws -> KeyOptions {
      try KeyOptions.parse(["--key", key, "--server-key", serverKey])
    }
    #expect(throws: KeyError.unreadable(file: missing)) { try options(missing, open.path).keys() }
    #expect(throws: KeyError.unreadable(file: missing)) { try options(secret.path, missing).keys() }
    #expect(throws: KeyError.exposed(file: open.path)) { try options(open.path, open.path).keys() }
  }

  /// Keys that nobody would look at.
  @Test func keysWithoutAServerAreRefused() throws {
    let keys = ["--key", "a.secret", "--server-key", "b.public"]
    let there = ["--endpoint", "tcp://a:5555"]
    #expect(throws: (any Error).self) { try EvaluateCommand.parse(["random"] + keys) }
    #expect(throws: (any Error).self) {
      try EvaluateCommand.parse(["--serve", "a.suite.safetensors"] + there + keys)
    }
    #expect(throws: (any Error).self) { try PlayCommand.parse(["--game", "platformer"] + keys) }
    #expect(throws: (any Error).self) { try TransferCommand.parse(["--out", "a"] + keys) }
    #expect(throws: Never.self) {
      _ = try EvaluateCommand.parse(["random"] + there + keys)
      _ = try PlayCommand.parse(there + keys)
      _ = try TransferCommand.parse(["--out", "a", "--clips", "b"] + there + keys)
    }
  }

  @Test func aFleetNamesOneServerKey() throws {
    let servers = try SafeServers()
    let agent = try PPOAgent.parse(
      servers.endpoints.flatMap { ["--endpoint", $0] } + ["--out", "agent"] + servers.arguments)
    #expect(try agent.keys.keys() == servers.keys)
    let fleet = try RemoteFleet(agent.endpoint, environment: "Noop-v1", keys: try agent.keys.keys())
    _ = try fleet.open(OpenOptions())
    _ = try fleet.open(OpenOptions())
    #expect(fleet.load.map(\.slots) == [1, 1])
  }

  @Test func anAgentIsLetIn() throws {
    let servers = try SafeServers()
    let place = ["--endpoint", servers.endpoints[0], "--environment", "Noop-v1"]
    let play = place + ["--steps", "8", "--environments", "4"]
    #expect(throws: Never.self) { try RandomAgent.parse(play + servers.arguments).run() }
    expectRefused { try RandomAgent.parse(play).run() }
  }

  @Test func policiesAreEvaluatedThere() throws {
    let servers = try SafeServers()
    let place = ["--endpoint", servers.endpoints[0], "--environment", "Noop-v1"]
    let play = ["random"] + place + ["--episodes", "2", "--horizon", "3", "--quiet"]
    #expect(throws: Never.self) { try EvaluateCommand.parse(play + servers.arguments).run() }
    expectRefused { try EvaluateCommand.parse(play).run() }
  }
}
