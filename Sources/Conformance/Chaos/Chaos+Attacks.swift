import AgentSDK
import Environments
import Foundation
import WireProtocol
import WorldServer

extension Chaos {
  /// Clients without a key, with a wrong one, one that is not listed, one that was revoked, and one that
  /// knows no keys.
  func handshake() throws -> Row {
    let list = folder.appending(path: "clients")
    let (own, friend, stranger) = (try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair())
    let name = folder.appending(path: "server")
    let files = try KeyFile.write(own, to: name)
    try Data("\(friend.publicKey) friend\n".utf8).write(to: list)
    let server = try ChildServer(
      genie, "tcp://127.0.0.1:*", ["--key", files.secret.path, "--allow", list.path])
    let good = ClientKeys(own: friend, server: own.publicKey)
    let pool = try RemotePool(server.endpoint, environment: "Noop-v1", keys: good)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    var refused = 0
    var slowest = 0.0
    var words: [String] = []
    func attempt(_ what: String, _ body: () throws -> Void) {
      var isRefused = false
      let elapsed = seconds {
        do { try body() } catch EnvironmentError.refused { isRefused = true } catch {
          words.append("\(what): \(error)")
        }
      }
      slowest = max(slowest, elapsed)
      if isRefused { refused += 1 }
    }
    func connect(_ keys: ClientKeys?) throws {
      _ = try RemotePool(server.endpoint, environment: "Noop-v1", keys: keys)
    }
    attempt("no key") { try connect(nil) }
    attempt("wrong server key") { try connect(ClientKeys(own: friend, server: stranger.publicKey)) }
    attempt("unlisted") { try connect(ClientKeys(own: stranger, server: own.publicKey)) }
    try Data("# nobody\n".utf8).write(to: list)
    Thread.sleep(forTimeInterval: 0.4)
    attempt("revoked, connected") { try pool.step([slot], [0], into: &batch) }
    attempt("revoked, new") { try connect(good) }
    let plain = try ChildServer(genie, "tcp://127.0.0.1:*")
    attempt("downgrade") { _ = try RemotePool(plain.endpoint, environment: "Noop-v1", keys: good) }
    return Row(
      trial: .handshake, check: "no key, wrong key, unlisted, revoked (2), downgrade",
      demanded: "100% refused, typed <= 2 s",
      measured: "\(refused) of 6 refused" + String(format: ", %.2f s at most", slowest)
        + (words.isEmpty ? "" : "; \(words.joined(separator: "; "))"),
      passed: refused == 6 && slowest <= 2, figures: ["refused": Double(refused), "slowest_seconds": slowest])
  }

  /// Session tokens at random.
  func guess() throws -> Row {
    let server = try ChildServer(genie, endpoint("guess"))
    let owner = try WireClient(server.endpoint)
    _ = try owner.open("Noop-v1", 1)
    let client = try WireClient(server.endpoint)
    let total = scaled(100_000, atLeast: 2_000)
    var hits = 0
    for index in 0..<total {
      let envelope = Envelope(.step, epoch: owner.epoch, session: .random(), sequence: 2)
      let reply = try client.ask(Message(envelope, payloads: StepRequest(actions: [0]).payloads))
      if reply.envelope.status != .sessionLost { hits += 1 }
      if index % 1_000 == 0 { progress("guess", index, total) }
    }
    return Row(
      trial: .guess, check: "\(total) guessed session tokens", demanded: "0 found", measured: "\(hits) found",
      passed: hits == 0, figures: ["found": Double(hits)])
  }

  /// Mutated messages and raw bytes, beside a session that must not feel them.
  func fuzz() throws -> Row {
    let server = try ChildServer(genie, "tcp://127.0.0.1:*")
    let total = scaled(10_000_000, atLeast: 20_000)
    let healthy = try RemotePool(server.endpoint, environment: "Noop-v1")
    let slot = try healthy.open(OpenOptions())
    var batch = healthy.makeBatch()
    try healthy.reset([slot], [ResetOptions()], into: &batch)
    func p99(_ count: Int) throws -> Double {
      Self.quantile(
        try (0..<count).map { _ in try seconds { try healthy.step([slot], [0], into: &batch) } }, 0.99)
    }
    // Several, since each waits for answers most of the time. Once through everything, so that what is allocated once is.
    var fuzzers = (0..<16).map { Fuzzer(seed: UInt64(1 + $0)) }
    _ = try attack(server.endpoint, with: &fuzzers, 1_000)
    let before = server.residentKiB
    var sent = 0
    let elapsed = try seconds {
      while sent < total {
        sent += try attack(
          server.endpoint, with: &fuzzers, min(20_000, (total - sent + fuzzers.count - 1) / fuzzers.count))
        progress("fuzz", sent, total)
      }
    }
    let growth = Double(server.residentKiB - before) / 1_024
    let pairs = try (0..<11).map { _ in
      let calm = try p99(1_000)
      return (calm, try attacked(server.endpoint) { try p99(1_000) })
    }
    let ratio = Self.quantile(pairs.map { $0.1 / $0.0 }, 0.5)
    let (calm, slowed) = (Self.quantile(pairs.map(\.0), 0.5), Self.quantile(pairs.map(\.1), 0.5))
    let isAlive = server.isRunning
    return Row(
      trial: .fuzz, check: "\(sent) mutated messages, and raw TCP",
      demanded: "0 crashes, RSS < 10 MB, p99 < 2x with the attacker rate-limited",
      measured: "\(isAlive ? 0 : 1) crashes, "
        + String(
          format: "RSS %+.1f MB, p99 x %.2f (%.2f ms, calm %.2f ms; %d pairs), %.0f messages/s", growth,
          ratio,
          slowed * 1e3, calm * 1e3, pairs.count, Double(sent) / elapsed),
      passed: isAlive && growth < 10 && ratio < 2,
      figures: [
        "rss_mb": growth, "p99_ratio": ratio, "p99_ms": slowed * 1e3, "p99_calm_ms": calm * 1e3,
        "messages_per_second": Double(sent) / elapsed,
      ])
  }

  /// All attack at once, each with so many messages and some raw connections.
  /// - Returns: how many messages were sent.
  private func attack(_ endpoint: String, with fuzzers: inout [Fuzzer], _ count: Int) throws -> Int {
    let attackers = fuzzers
    let outcomes = Locked([(index: Int, fuzzer: Fuzzer, sent: Result<Int, any Error>)]())
    let all = DispatchGroup()
    for (index, attacker) in attackers.enumerated() {
      all.enter()
      Thread {
        var fuzzer = attacker
        let sent = Result { try fuzzer.attack(endpoint, count: count) }
        fuzzer.sendRawBytes(to: endpoint, connections: 5)
        outcomes.change { $0.append((index, fuzzer, sent)) }
        all.leave()
      }.start()
    }
    all.wait()
    return try outcomes.read { $0 }.reduce(0) { sum, outcome in
      fuzzers[outcome.index] = outcome.fuzzer
      return sum + (try outcome.sent.get())
    }
  }

  /// Does something while an attacker sends a thousand messages a second.
  private func attacked<Result>(_ endpoint: String, _ body: () throws -> Result) rethrows -> Result {
    let isOver = Locked(false)
    let done = DispatchSemaphore(value: 0)
    Thread {
      var fuzzer = Fuzzer(seed: 2)
      while !isOver.read({ $0 }) {
        _ = try? fuzzer.attack(endpoint, count: 1_000, perSecond: 1_000) { !isOver.read({ $0 }) }
      }
      done.signal()
    }.start()
    defer {
      isOver.change { $0 = true }
      done.wait()
    }
    return try body()
  }

  /// A client that asks and never reads.
  func slow() throws -> Row {
    let server = try ChildServer(genie, endpoint("slow"))
    let healthy = try RemotePool(server.endpoint, environment: "Noop-v1")
    let slot = try healthy.open(OpenOptions())
    var batch = healthy.makeBatch()
    try healthy.reset([slot], [ResetOptions()], into: &batch)
    func p99() throws -> Double {
      Self.quantile(
        try (0..<1_500).map { _ in try seconds { try healthy.step([slot], [0], into: &batch) } }, 0.99)
    }
    let count = 64
    let sleeper = try WireClient(server.endpoint)
    _ = try sleeper.open("Noop-v1", count)
    _ = try sleeper.reset(seeds: (0..<UInt64(count)).map { $0 })
    let actions = [Int32](repeating: 0, count: count)
    let before = server.residentKiB
    let asked = 64
    for _ in 0..<asked {
      sleeper.sequence += 1
      let step = StepRequest(actions: actions).payloads
      try sleeper.send(Message(sleeper.envelope(.step, sleeper.sequence), payloads: step).frames)
      Thread.sleep(forTimeInterval: 0.005)
    }
    let client = try WireClient(server.endpoint)
    let statistics = try client.ask(Message(Envelope(.stats))).json(as: ServerStatistics.self)
    let held = Double(server.residentKiB - before) / 1_024
    // What was not dropped waits at the server, at the client, or, a few, on the way.
    let waiting = asked - statistics.undelivered
    let most = Limits.repliesPerConnection + Int(SocketOptions.client.receiveLimit) + 4
    // One after the other: nobody else, a client that asks as often and reads, and the one that does not read.
    let frames = Message(
      sleeper.envelope(.step, sleeper.sequence), payloads: StepRequest(actions: actions).payloads
    ).frames
    var calm: [Double] = []
    var (read, unread) = (calm, calm)
    for _ in 0..<scaled(40, atLeast: 10) {
      calm.append(try p99())
      read.append(try beside({ _ = try? client.ask(Message(Envelope(.ping))) }, p99))
      unread.append(try beside({ try? sleeper.send(frames) }, p99))
      progress("slow", calm.count, scaled(40, atLeast: 10))
    }
    func median(over others: [Double]) -> Double { Self.quantile(zip(unread, others).map(/), 0.5) }
    let (ratio, alone) = (median(over: read), median(over: calm))
    return Row(
      trial: .slow, check: "a client that stops reading",
      demanded: "<= \(most) of \(asked) replies wait (\(Limits.repliesPerConnection) at the server); "
        + "others' p99 within 10% of beside one that reads, median of >= 10 pairs",
      measured: "\(waiting) wait, \(statistics.undelivered) dropped"
        + String(
          format: ", %.1f MB held; p99 x %.2f (%.2f ms; with nobody else x %.2f), median of %d pairs", held,
          ratio,
          Self.quantile(unread, 0.5) * 1e3, alone, unread.count),
      passed: waiting <= most && ratio < 1.1,
      figures: [
        "p99_ratio": ratio, "p99_ratio_alone": alone, "held_mb": held, "replies_waiting": Double(waiting),
      ])
  }

  /// Measures while another client asks every two milliseconds.
  private func beside(
    _ ask: @escaping () -> Void, _ measure: () throws -> Double
  ) throws -> Double {
    let flag = Locked(false)
    nonisolated(unsafe) let ask = ask
    let done = DispatchSemaphore(value: 0)
    Thread {
      while !flag.read({ $0 }) {
        ask()
        Thread.sleep(forTimeInterval: 0.002)
      }
      done.signal()
    }.start()
    defer {
      flag.change { $0 = true }
      done.wait()
    }
    return try measure()
  }
}
