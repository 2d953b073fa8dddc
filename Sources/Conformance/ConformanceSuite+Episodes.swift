import Environments
import WireProtocol

extension ConformanceSuite {
  static var episodes: [Check] {
    [
      Check("reset: a batch of the shape that was described") { trial in
        let client = try trial.opened(3)
        let batch = try trial.batch(try client.reset(seeds: [1, 2], slots: [2, 0]), 2)
        return batch.rewards == [0, 0] && !batch.terminated.contains(true)
          ? nil : "a reset with a reward or an end"
      },
      Check("reset: a seed repeats its start") { trial in
        let client = try trial.opened()
        let first = try client.reset(seeds: [5])
        _ = try client.step([0])
        return try client.reset(seeds: [5]).content == first.content ? nil : "another start"
      },
      Check("reset: options for another number of slots are MALFORMED") { trial in
        let client = try trial.opened(2)
        let reply = try client.reset(seeds: [1], slots: [0, 1])
        return trial.expect(reply, .malformed, when: "one seed for two slots")
      },
      Check("step: before the first reset is a fault of its row") { trial in
        let client = try trial.opened()
        let batch = try trial.batch(try client.step([0]), 1)
        return batch.faults[0] == .needsReset ? nil : "\(batch.faults)"
      },
      Check("step: an action out of range is a fault of its row alone") { trial in
        let client = try trial.started(2)
        let batch = try trial.batch(try client.step([0, Int32(trial.specification.actionSpace.count)]), 2)
        guard batch.faults[0] == nil, case .invalidAction = batch.faults[1] else { return "\(batch.faults)" }
        return nil
      },
      Check("step: a slot twice is REPEATED_SLOT") { trial in
        trial.expect(try trial.started(2).step([0, 0], slots: [1, 1]), .repeatedSlot, when: "it came")
      },
      Check("step: another number of actions is COUNT_MISMATCH") { trial in
        trial.expect(try trial.started(2).step([0]), .countMismatch, when: "one action for two slots")
      },
      Check("step: none named are all, in ascending order") { trial in
        let (named, all) = (try trial.started(3), try trial.started(3))
        let actions = (0..<3).map { trial.action(2 * $0) }
        let (one, other) = (try named.step(actions, slots: [0, 1, 2]), try all.step(actions))
        return one.content == other.content ? nil : "another batch"
      },
      Check("step: any subset in any order") { trial in
        let (ordered, mixed) = (try trial.started(3), try trial.started(3))
        let all = try trial.batch(try ordered.step([0, 0, 0]), 3)
        let some = try trial.batch(try mixed.step([0, 0], slots: [2, 0]), 2)
        return Array(some.observation(0)) == Array(all.observation(2))
          && Array(some.observation(1)) == Array(all.observation(0)) ? nil : "rows differ"
      },
      Check("step: the horizon truncates, and then a reset is due") { trial in
        let client = try trial.started(1, OpenOptions(horizon: 2))
        let first = try trial.batch(try client.step([0]), 1)
        if first.terminated[0] { return nil }
        let last = try trial.batch(try client.step([0]), 1)
        if !last.truncated[0] && !last.terminated[0] { return "the second step of two does not end it" }
        let after = try trial.batch(try client.step([0]), 1)
        return after.faults[0] == .needsReset ? nil : "a step after the end: \(after.faults)"
      },
      Check("step: auxiliaries are columns, in the session's order") { trial in
        let names = Array(trial.specification.auxiliaries.prefix(2))
        let client = try trial.connect()
        let reply = try client.open(trial.specification.name, 2, OpenOptions(auxiliaries: names))
        if try reply.json(as: OpenReply.self).auxiliaries != names { return "other auxiliaries were opened" }
        _ = try client.reset(seeds: [0, 1])
        let bytes = try client.step([0, 0]).payloads.first?.byteCount ?? 0
        return bytes == 2 * (6 + 4 * names.count) ? nil : "\(bytes) bytes for \(names.count) columns"
      },
      Check("replay: an action log gives the same frames, 100 steps") { trial in
        func play() throws -> [[[UInt8]]] {
          let client = try trial.started()
          return try (0..<100).map { try client.step([trial.action($0)]).content }
        }
        return try play() == play() ? nil : "the frames differ"
      },
      Check("sessions: one does not disturb another") { trial in
        let alone = try trial.started()
        let expected = try (0..<10).map { try alone.step([trial.action($0)]).content }
        let (one, other) = (try trial.started(), try trial.started(2))
        for step in 0..<10 {
          _ = try other.step([trial.action(step + 7), 0])
          if try one.step([trial.action(step)]).content != expected[step] { return "step \(step) differs" }
        }
        return nil
      },
    ]
  }

  static var snapshots: [Check] {
    /// A client three steps into an episode, and what the next steps show.
    func follow(_ trial: Trial, _ client: WireClient, _ slot: Int32) throws -> [[[UInt8]]] {
      try (10..<20).map { try client.step([trial.action($0)], slots: [slot]).content }
    }
    func begun(_ trial: Trial) throws -> WireClient {
      let client = try trial.started()
      for step in 0..<3 { _ = try client.step([trial.action(step)]) }
      return client
    }
    /// Asks for what an environment may be unable to do.
    func ask(
      _ client: WireClient, _ operation: WireProtocol.Operation, _ payloads: [Frame]
    ) throws -> Message {
      let reply = try client.next(operation, payloads)
      if reply.envelope.status == .unsupported { throw Skipped() }
      return reply
    }
    func snapshot(_ client: WireClient) throws -> [UInt8] {
      let kept = try ask(client, .snapshot, SlotsRequest(slots: [0]).payloads)
      guard kept.envelope.status == .ok else {
        throw EnvironmentError.fault("a snapshot was answered \(kept.words)")
      }
      try kept.requirePayloads(2)
      let blobs = try Blobs(lengths: kept.payloads[0], bytes: kept.payloads[1]).blobs
      guard blobs.count == 1 else { throw EnvironmentError.fault("\(blobs.count) snapshots of one slot") }
      return blobs[0]
    }
    return [
      Check("snapshot: a restored slot goes the same way", needs: "snapshot") { trial in
        let client = try begun(trial)
        let blob = try snapshot(client)
        let first = try follow(trial, client, 0)
        let reply = try ask(client, .restore, RestoreRequest(slots: [0], blobs: [blob]).payloads)
        if let reason = trial.expect(reply, .ok, when: "the restore") { return reason }
        return try follow(trial, client, 0) == first ? nil : "another way"
      },
      Check("fork: copies go the same way, each by itself", needs: "fork") { trial in
        let client = try begun(trial)
        let reply = try ask(client, .fork, SlotsRequest(slots: [0, 0]).payloads)
        let slots = try reply.json(as: OpenReply.self).slots
        if slots != [1, 2] { return "the forks are slots \(slots)" }
        let ways = try ([0] + slots).map { try follow(trial, client, $0) }
        return ways[0] == ways[1] && ways[0] == ways[2] ? nil : "another way"
      },
      Check("restore: a broken snapshot is refused and changes nothing", needs: "restore") { trial in
        let (client, untouched) = (try begun(trial), try begun(trial))
        let blob = try snapshot(client)
        for bad in [[], [1, 2, 3], Array(blob.dropLast()), blob + [0]] as [[UInt8]] {
          let reply = try ask(client, .restore, RestoreRequest(slots: [0], blobs: [bad]).payloads)
          if let reason = trial.expect(reply, .invalidSnapshot, when: "\(bad.count) bytes") { return reason }
        }
        return try follow(trial, client, 0) == follow(trial, untouched, 0) ? nil : "the slot was changed"
      },
      Check("restore: lengths that do not add up are MALFORMED", needs: "restore") { trial in
        let client = try begun(trial)
        let payloads = [Frame([0] as [Int32]), Frame([UInt64.max]), Frame([1, 2] as [UInt8])]
        return trial.expect(try ask(client, .restore, payloads), .malformed, when: "it came")
      },
    ]
  }
}
