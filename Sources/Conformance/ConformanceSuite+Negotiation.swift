import Environments
import Foundation
import WireProtocol

extension ConformanceSuite {
  static var negotiation: [Check] {
    [
      Check("hello: speaks version 1") {
        $0.hello.versions.contains(1) ? nil : "it speaks \($0.hello.versions)"
      },
      Check("hello: limits that can be worked with") { trial in
        let limits = trial.hello.limits
        return min(limits.frameBytes, limits.replyBytes, limits.metadataBytes, limits.payloads) > 0
          && limits.payloads >= 6 && limits.sessions > 0 ? nil : "\(limits)"
      },
      Check("hello: keys that nobody knows are ignored") { trial in
        let client = try trial.connect()
        let request = Message(
          Envelope(.hello, sequence: 1),
          metadata: Frame(#"{"client":"x","versions":[1],"novel":{"a":[1]}}"#.utf8))
        return trial.expect(try client.ask(request), .ok, when: "a hello with a new key")
      },
      Check("replies: repeat operation and sequence, carry the flag and an epoch") { trial in
        let client = try trial.connect()
        let reply = try client.ask(Message(Envelope(.ping, sequence: 4_711))).envelope
        if reply.operation != .ping || reply.sequence != 4_711 { return "operation or sequence differ" }
        return reply.isReply && reply.epoch != 0 ? nil : "no reply flag, or no epoch"
      },
      Check("replies: one epoch, whoever asks") { trial in
        let epochs = try (0..<3).map { _ in try trial.connect().ask(Message(Envelope(.ping))).envelope.epoch }
        return Set(epochs).count == 1 ? nil : "epochs \(epochs)"
      },
      Check("describe: environments that make sense") { trial in
        let reply = try trial.connect().ask(Message(Envelope(.describe)))
        for environment in try reply.json(as: Description.self).environments {
          let actions = try environment.validated().actionSpace
          guard actions.names.isEmpty || actions.names.count == actions.count else {
            return "\(environment.name): \(actions.names.count) names for \(actions.count) actions"
          }
        }
        return nil
      },
      Check("describe: the names are those of hello") { trial in
        let reply = try trial.connect().ask(Message(Envelope(.describe)))
        let names = try reply.json(as: Description.self).environments.map(\.name)
        return Set(names) == Set(trial.hello.environments) ? nil : "\(names) and \(trial.hello.environments)"
      },
      Check("ping: tells how busy the server is") { trial in
        let state = try trial.connect().ask(Message(Envelope(.ping))).json(as: PingReply.self)
        return state.busyMilliseconds >= 0 && state.queued >= 0 && state.sessions >= 0 ? nil : "\(state)"
      },
      Check("stats: an object") { trial in
        let reply = try trial.connect().ask(Message(Envelope(.stats)))
        guard reply.envelope.status == .ok else { return reply.words }
        let object = try JSONSerialization.jsonObject(with: Data(reply.metadata.bytes)) as? [String: Any]
        return object == nil ? "it is none" : nil
      },
      Check("another version is refused, and the own ones told") { trial in
        var message = Message(Envelope(.hello))
        message.envelope.version = 999
        let reply = try trial.connect().ask(message)
        if let reason = trial.expect(reply, .unsupportedVersion, when: "version 999") { return reason }
        return try reply.json(as: ErrorDetail.self).versions?.contains(1) == true
          ? nil : "the versions are not told"
      },
      Check("an unknown operation is refused by its number") { trial in
        var message = Message(Envelope(.hello))
        message.envelope.operationCode = 222
        let reply = try trial.connect().ask(message)
        if reply.envelope.operationCode != 222 {
          return "the reply names operation \(reply.envelope.operationCode)"
        }
        return trial.expect(reply, .unknownOperation, when: "operation 222")
      },
    ]
  }

  /// Each message is answered with the status, and the server lives on.
  private static func refusal(
    _ name: String, _ status: Status, _ make: @escaping (Trial) throws -> [Frame]
  ) -> Check {
    Check(name) { trial in
      let client = try trial.connect()
      try client.send(make(trial))
      if let reason = trial.expect(try client.receive(), status, when: "it came") { return reason }
      return trial.expect(try client.ask(Message(Envelope(.ping))), .ok, when: "a ping after it")
    }
  }

  static var malformed: [Check] {
    func bytes(_ values: [UInt8]) -> Frame { Frame(values) }
    func hello(_ change: (inout [Frame]) -> Void) -> [Frame] {
      var frames = Message(Envelope(.hello, sequence: 9)).frames
      change(&frames)
      return frames
    }
    return [
      refusal("malformed: a message of three bytes", .malformed) { _ in [bytes([1, 2, 3])] },
      refusal("malformed: an empty message", .malformed) { _ in [bytes([])] },
      refusal("malformed: a hundred empty frames", .malformed) { _ in Array(repeating: bytes([]), count: 100)
      },
      refusal("malformed: an envelope without metadata", .malformed) { _ in hello { $0.removeLast() } },
      refusal("malformed: an envelope of 71 bytes", .malformed) { _ in
        hello { $0[0] = bytes($0[0].bytes.dropLast()) }
      },
      refusal("malformed: another magic", .malformed) { _ in
        hello { $0[0] = bytes([0] + $0[0].bytes.dropFirst()) }
      },
      refusal("malformed: more payloads than the envelope says", .malformed) { _ in
        hello { $0.append(bytes([1])) }
      },
      refusal("malformed: a reply, sent to the server", .malformed) { _ in
        var message = Message(Envelope(.hello))
        message.envelope.isReply = true
        return message.frames
      },
      refusal("corrupt: other metadata than was summed", .corrupt) { _ in
        hello { $0[1] = bytes([0x7B, 0x7D]) }
      },
      refusal("corrupt: a changed sequence", .corrupt) { _ in
        hello {
          var head = $0[0].bytes
          head[40] ^= 1
          $0[0] = bytes(head)
        }
      },
      refusal("too large: metadata beyond the limit", .tooLarge) { trial in
        let limits = trial.hello.limits
        // Any number may have come, and a frame beyond its own limit has no answer.
        guard limits.metadataBytes > 0, limits.metadataBytes < min(limits.frameBytes, 64 << 20) else {
          throw Skipped()
        }
        let text = [UInt8](repeating: 0x20, count: limits.metadataBytes + 1)
        return Message(Envelope(.open, sequence: 1, nonce: .random()), metadata: Frame(text)).frames
      },
      refusal("malformed: metadata that is no JSON", .malformed) { _ in
        Message(Envelope(.open, sequence: 1, nonce: .random()), metadata: Frame("{\"count\":".utf8)).frames
      },
      refusal("malformed: metadata nested ten thousand deep", .malformed) { _ in
        let text = [UInt8](repeating: 0x5B, count: 10_000)
        return Message(Envelope(.open, sequence: 1, nonce: .random()), metadata: Frame(text)).frames
      },
      refusal("malformed: an open without a nonce", .malformed) { trial in
        Message(
          Envelope(.open, sequence: 1), json: OpenRequest(environment: trial.specification.name, count: 1)
        ).frames
      },
    ]
  }
}
