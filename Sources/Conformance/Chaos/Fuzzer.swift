import Environments
import Foundation
import WireProtocol

/// Makes messages that are nearly right.
struct Fuzzer {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// Sends so many mutated messages, as a client with a session of its own.
  /// - Parameters:
  ///   - perSecond: at most so many; nil: as fast as they are answered.
  ///   - goesOn: asked before every four messages.
  mutating func attack(
    _ endpoint: String, count: Int, perSecond: Int? = nil, while goesOn: () -> Bool = { true }
  ) throws -> Int {
    let client = try WireClient(endpoint)
    _ = try client.open("Noop-v1", 2)
    let step = Message(
      client.envelope(.step, 2), payloads: StepRequest(slots: [0, 1], actions: [0, 1]).payloads)
    let reset = Message(
      client.envelope(.reset, 2), payloads: ResetRequest(options: [ResetOptions(seed: 1)]).payloads)
    let restore = Message(
      client.envelope(.restore, 2), payloads: RestoreRequest(slots: [0], blobs: [[1, 2, 3]]).payloads)
    let open = Message(client.envelope(.open, 2), json: OpenRequest(environment: "Noop-v1", count: 1))
    let sources = [step, reset, restore, open].map { $0.frames.map(\.bytes) }
    var sent = 0
    while sent < count, goesOn() {
      // As many as may wait for an answer, with the ping after them.
      for _ in 1..<Limits.repliesPerConnection {
        var parts = sources[random.next(below: sources.count)]
        for _ in 0...random.next(below: 3) { mutate(&parts) }
        if random.next(below: 2) == 0 { parts = withRightChecksum(parts) }
        if parts.isEmpty { parts = [[]] }
        try client.send(parts.map { Frame($0) })
        sent += 1
      }
      try fence(client, UInt64(sent))
      if let perSecond { Thread.sleep(forTimeInterval: 3 / Double(perSecond)) }
    }
    client.close()
    return sent
  }

  /// Waits until the server is through with all that was sent; some is rightly left without an answer, and so is the
  /// ping, where too many answers wait for this client.
  private func fence(_ client: WireClient, _ number: UInt64) throws {
    let deadline = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < deadline {
      try client.send(Message(Envelope(.ping, sequence: number)).frames)
      while let frames = try client.socket.receive(limit: 32, within: 5) {
        let envelope = try? Message(frames: frames).envelope
        if envelope?.operation == .ping && envelope?.sequence == number { return }
      }
    }
    throw WireClient.Failure.noAnswer(milliseconds: 5_000)
  }

  private mutating func mutate(_ parts: inout [[UInt8]]) {
    guard !parts.isEmpty else { return parts.append([1]) }
    let part = random.next(below: parts.count)
    switch random.next(below: 6) {
    case 0: parts[part].append(UInt8(random.next(below: 256)))
    case 1: if !parts[part].isEmpty { parts[part].removeLast() }
    case 2: parts.remove(at: part)
    case 3: parts.append(parts[part])
    default:
      guard !parts[part].isEmpty else { return parts[part].append(0) }
      parts[part][random.next(below: parts[part].count)] ^= UInt8(1 + random.next(below: 255))
    }
  }

  /// So that the mutation is not found by the checksum alone.
  private func withRightChecksum(_ parts: [[UInt8]]) -> [[UInt8]] {
    guard parts.count >= 2, let envelope = try? parts[0].withUnsafeBytes({ try Envelope(reading: $0) }) else {
      return parts
    }
    return Message(envelope, metadata: Frame(parts[1]), payloads: parts.dropFirst(2).map { Frame($0) }).frames
      .map(\.bytes)
  }

  /// Bytes that are no ZeroMQ, over connections of their own.
  mutating func sendRawBytes(to endpoint: String, connections: Int) {
    for _ in 0..<connections {
      let bytes = (0..<random.next(below: 3_000)).map { _ in UInt8(random.next(below: 256)) }
      RawConnection(endpoint)?.send(bytes)
    }
  }
}
