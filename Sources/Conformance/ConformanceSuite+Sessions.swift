import Environments
import WireProtocol

extension ConformanceSuite {
  /// An open that must fail, and leave no session.
  private static func badOpen(
    _ name: String, _ statuses: Status, _ change: @escaping (Trial) -> OpenRequest
  ) -> Check {
    Check("open: \(name)") { trial in
      let client = try trial.connect()
      let reply = try client.ask(Message(Envelope(.open, sequence: 1, nonce: .random()), json: change(trial)))
      return trial.expect(reply, statuses, when: "it came")
    }
  }

  static var sessions: [Check] {
    [
      badOpen("an environment that nobody has", .unknownEnvironment) { _ in
        OpenRequest(environment: "?", count: 1)
      },
      badOpen("no slots", .invalidOption) { OpenRequest(environment: $0.specification.name, count: 0) },
      badOpen("more slots than there can be", .tooManySlots) {
        OpenRequest(environment: $0.specification.name, count: .max)
      },
      badOpen("an auxiliary that is not offered", .unknownAuxiliary) {
        OpenRequest(
          environment: $0.specification.name, count: 1, options: OpenOptions(auxiliaries: ["no such thing"]))
      },
      badOpen("a horizon of no steps", .invalidOption) {
        OpenRequest(environment: $0.specification.name, count: 1, options: OpenOptions(horizon: 0))
      },
      Check("open: numbers from 0, a token of random bits") { trial in
        let client = try trial.connect()
        let reply = try client.open(trial.specification.name, 3)
        let slots = try reply.json(as: OpenReply.self).slots
        let other = try trial.opened()
        if client.session == .none || client.session == other.session { return "two sessions share a token" }
        return slots == [0, 1, 2] ? nil : "slots \(slots)"
      },
      Check("open: a retry with the same nonce finds its session") { trial in
        let open = Message(
          Envelope(.open, sequence: 1, nonce: .random()),
          json: OpenRequest(environment: trial.specification.name, count: 2))
        let first = try trial.connect().ask(open)
        let client = try trial.connect()
        let second = try client.ask(open)
        (client.epoch, client.session, client.sequence) = (second.envelope.epoch, second.envelope.session, 1)
        return first.envelope.session == second.envelope.session ? nil : "it made a second session"
      },
      Check("open: more slots in the session, numbers go on") { trial in
        let client = try trial.opened(2)
        let request = OpenRequest(environment: trial.specification.name, count: 1)
        let reply = try client.ask(Message(client.envelope(.open, 2), json: request))
        client.sequence = 2
        let slots = try reply.json(as: OpenReply.self).slots
        return slots == [2] ? nil : "slots \(slots)"
      },
      Check("exactly once: a repeated request gets the same reply, byte for byte") { trial in
        let client = try trial.started(2)
        let request = Message(
          client.envelope(.step, 3),
          payloads: StepRequest(actions: [trial.action(0), trial.action(1)]).payloads)
        let first = try client.ask(request)
        for _ in 0..<3 where try client.ask(request).content != first.content { return "another reply" }
        client.sequence = 3
        return trial.expect(try client.step([0, 0]), .ok, when: "the next step")
      },
      Check("exactly once: repeats do not step") { trial in
        let (once, often) = (try trial.started(), try trial.started())
        for step in 0..<5 {
          let payloads = StepRequest(actions: [trial.action(step)]).payloads
          let repeated = Message(often.envelope(.step, often.sequence + 1), payloads: payloads)
          for _ in 0..<3 { _ = try often.ask(repeated) }
          let (one, other) = (try once.next(.step, payloads), try often.next(.step, payloads))
          if one.content != other.content { return "step \(step) differs where requests were repeated" }
        }
        return nil
      },
      Check("exactly once: another connection gets the reply, too") { trial in
        let client = try trial.started()
        let reply = try client.step([0])
        let other = try trial.connect()
        (other.epoch, other.session) = (client.epoch, client.session)
        let again = try other.ask(
          Message(other.envelope(.step, client.sequence), payloads: StepRequest(actions: [0]).payloads))
        return reply.content == again.content ? nil : "another reply, \(again.words)"
      },
      Check("sequence: an old number is STALE") { trial in
        let client = try trial.started()
        _ = try client.step([0])
        let late = Message(client.envelope(.step, 2), payloads: StepRequest(actions: [0]).payloads)
        return trial.expect(try client.ask(late), .stale, when: "sequence 2 after 3")
      },
      Check("sequence: a number that skips one is GAP") { trial in
        let client = try trial.started()
        let early = Message(client.envelope(.step, 4), payloads: StepRequest(actions: [0]).payloads)
        if let reason = trial.expect(try client.ask(early), .gap, when: "sequence 4 after 2") {
          return reason
        }
        let last = Message(client.envelope(.step, .max), payloads: StepRequest(actions: [0]).payloads)
        return trial.expect(try client.ask(last), .gap, when: "the largest sequence")
      },
      Check("sequence: another operation under a used number is STALE") { trial in
        let client = try trial.started()
        let other = Message(client.envelope(.close, 2), payloads: SlotsRequest().payloads)
        return trial.expect(try client.ask(other), .stale, when: "close under the reset's number")
      },
      Check("sequence: a malformed request does not use its number up") { trial in
        let client = try trial.started()
        let odd = Message(
          client.envelope(.step, 3), payloads: [Frame([1, 2, 3] as [UInt8]), Frame([0] as [Int32])])
        if let reason = trial.expect(try client.ask(odd), .malformed, when: "three bytes of slots") {
          return reason
        }
        return trial.expect(try client.step([0]), .ok, when: "the number again")
      },
      Check("sequence: an environment's error uses its number up") { trial in
        let client = try trial.started()
        let wrong = Message(
          client.envelope(.step, 3), payloads: StepRequest(slots: [77], actions: [0]).payloads)
        if let reason = trial.expect(try client.ask(wrong), .unknownSlot, when: "slot 77") { return reason }
        client.sequence = 3
        return trial.expect(try client.step([0]), .ok, when: "the next number")
      },
      Check("session: a guessed token is SESSION_LOST") { trial in
        let client = try trial.started()
        for _ in 0..<100 {
          let guess = Message(
            Envelope(.step, epoch: client.epoch, session: .random(), sequence: 3),
            payloads: StepRequest(actions: [0]).payloads)
          if let reason = trial.expect(try client.ask(guess), .sessionLost, when: "a random token") {
            return reason
          }
        }
        return nil
      },
      Check("session: another epoch is SESSION_LOST, and the server's is told") { trial in
        let client = try trial.started()
        let old = Message(
          Envelope(.step, epoch: client.epoch ^ 1, session: client.session, sequence: 3),
          payloads: StepRequest(actions: [0]).payloads)
        let reply = try client.ask(old)
        if reply.envelope.epoch != client.epoch { return "the reply's epoch is not the server's" }
        return trial.expect(reply, .sessionLost, when: "another epoch")
      },
      Check("session: ping keeps it, or tells that it is lost") { trial in
        let client = try trial.opened()
        let known = try client.ask(Message(client.envelope(.ping, 5)))
        if let reason = trial.expect(known, .ok, when: "a ping with the token") { return reason }
        let unknown = try client.ask(
          Message(Envelope(.ping, epoch: client.epoch, session: .random(), sequence: 6)))
        return trial.expect(unknown, .sessionLost, when: "a ping with another token")
      },
      Check("close: slots are gone, the others are not, numbers are not used again") { trial in
        let client = try trial.started(2)
        let closed = try client.next(.close, SlotsRequest(slots: [0, 9]).payloads)
        if let reason = trial.expect(closed, .ok, when: "a close of two slots, one of them open") {
          return reason
        }
        if let reason = trial.expect(try client.step([0], slots: [0]), .unknownSlot, when: "its step") {
          return reason
        }
        return trial.expect(try client.step([0]), .ok, when: "a step of all")
      },
      Check("close: none named ends the session") { trial in
        let client = try trial.started()
        let closed = try client.next(.close, SlotsRequest().payloads)
        if let reason = trial.expect(closed, .ok, when: "the close") { return reason }
        return trial.expect(try client.step([0]), .sessionLost, when: "a step after it")
      },
      Check("close: the slots of ended sessions can be opened again") { trial in
        // More in all than there can be at once, but a few at a time: each may be a whole world.
        let limit = trial.specification.slotLimit
        let count = min(32, limit, trial.hello.limits.slotsPerSession)
        guard count > 0, limit / count <= 4_096 else { throw Skipped() }
        let client = try trial.connect()
        for round in 0...limit / count {
          let reply = try client.open(trial.specification.name, count)
          let when = "\(count) slots, after \(round * count) of \(limit) came and went"
          if let reason = trial.expect(reply, .ok, when: when) { return reason }
          client.close()
        }
        return nil
      },
    ]
  }
}
