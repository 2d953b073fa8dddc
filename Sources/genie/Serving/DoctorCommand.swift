import AgentSDK
import ArgumentParser
import ClientOptions
import Conformance
import Environments
import Foundation
import WireProtocol
import WorldServer

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Looks at a server from outside, and says what is wrong and what to do.")

  @Argument(help: "Where the server should be, such as tcp://127.0.0.1:5555.")
  var endpoint: String

  @OptionGroup var keys: KeyOptions

  func run() throws {
    try examine()
    print("all is well")
  }

  private func examine() throws {
    try checkAddress()
    let client: WireClient
    do {
      client = try WireClient(endpoint, keys: try keys.keys())
    } catch WireClient.Failure.refused(let reason) {
      throw trouble(
        "connection", reason, "give --key and --server-key, and let the key in there: genie keys allow")
    } catch {
      throw trouble(
        "connection", "\(error)", "is the server running, at this address? genie serve --endpoint \(endpoint)"
      )
    }
    good("connection", keys.key == nil ? "without keys" : "with keys")
    let hello: HelloReply = try ask(client, .hello)
    good(
      "protocol", "version \(hello.versions), \(hello.server), \(hello.capabilities.joined(separator: " "))")
    var times: [Double] = []
    var state = PingReply(busyMilliseconds: 0, queued: 0, sessions: 0)
    for _ in 0..<20 {
      let start = ContinuousClock.now
      state = try ask(client, .ping)
      times.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    let median = times.sorted()[10]
    good("answers", String(format: "after %.2f ms (median of 20 pings)", median))
    if state.busyMilliseconds > 10_000 {
      warn("environments", String(format: "one call has taken %.0f s so far", state.busyMilliseconds / 1_000))
    }
    good("sessions", "\(state.sessions) of \(hello.limits.sessions), \(state.queued) requests waiting")
    let statistics: ServerStatistics = try ask(client, .stats)
    if statistics.undelivered > 0 {
      warn(
        "replies", "\(statistics.undelivered) could not be delivered: some client does not read, or was gone")
    }
    if statistics.busy > 0 {
      warn("load", "\(statistics.busy) requests were BUSY: raise --sessions, or start another server")
    }
    let described: Description = try ask(client, .describe)
    for environment in described.environments { try play(environment) }
  }

  private func checkAddress() throws {
    if endpoint.hasPrefix("ipc://") {
      let path = String(endpoint.dropFirst("ipc://".count))
      guard FileManager.default.fileExists(atPath: path) else {
        throw trouble("address", "there is no \(path)", "start one: genie serve --endpoint \(endpoint)")
      }
      guard FileManager.default.isWritableFile(atPath: path) else {
        throw trouble("address", "\(path) may not be used by this user", "run as the user of the server")
      }
    } else if !endpoint.hasPrefix("tcp://") || !endpoint.dropFirst(6).contains(":") {
      throw trouble("address", "'\(endpoint)' is none", "write tcp://HOST:PORT or ipc://PATH")
    }
    good("address", endpoint)
  }

  private func ask<Reply: Decodable>(_ client: WireClient, _ operation: WireProtocol.Operation) throws
    -> Reply
  {
    let reply: Message
    do {
      reply = try client.ask(Message(Envelope(operation), json: HelloRequest(client: "doctor/1")))
    } catch {
      throw trouble(
        "\(operation)", "\(error)", "something is listening there that does not speak the protocol, or hangs")
    }
    guard reply.envelope.statusCode == 0 else {
      throw trouble(
        "\(operation)", "it was answered with status \(reply.envelope.statusCode)",
        "compare the versions of both ends")
    }
    return try reply.json(as: Reply.self)
  }

  /// A few steps of an episode.
  private func play(_ environment: EnvironmentSpecification) throws {
    do {
      let pool = try RemotePool(endpoint, environment: environment.name, keys: try keys.keys())
      let slot = try pool.open(OpenOptions())
      var batch = pool.makeBatch()
      try pool.reset([slot], [ResetOptions(seed: 0)], into: &batch)
      let start = ContinuousClock.now
      for _ in 0..<10 where !(batch.terminated[0] || batch.truncated[0]) {
        try pool.step([slot], [0], into: &batch)
        if let fault = batch.faults[0] { throw fault }
      }
      let each = (ContinuousClock.now - start) / .milliseconds(10)
      good(environment.name, String(format: "%.2f ms a step", each))
    } catch {
      throw trouble(environment.name, "\(error)", "look at the server's log")
    }
  }

  private func good(_ what: String, _ words: String) { print("ok    \(what): \(words)") }
  private func warn(_ what: String, _ words: String) { print("look  \(what): \(words)") }

  private func trouble(_ what: String, _ words: String, _ advice: String) -> ExitCode {
    print("WRONG \(what): \(words)\n      -> \(advice)")
    return .failure
  }
}
