import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

@Suite struct BatchingTests {
  /// Sessions that step together are stepped in one call from the second round on.
  @Test func sessionsShareACall() throws {
    // Long enough that a busy machine makes none of the two late, shorter than a client waits.
    let server = try TestServer {
      $0.batchingSeconds = 1
      $0.inlineSeconds = 0
    }
    let one = try RawClient(server.endpoint)
    let two = try RawClient(server.endpoint)
    _ = try one.open(2)
    _ = try two.open(3)
    for round in 1...10 as ClosedRange<Int32> {
      try one.sendStep([1, 1], UInt64(round) + 1)
      try two.sendStep([2, 2, 2], UInt64(round) + 1)
      let (first, second) = (try one.receive(), try two.receive())
      #expect(try first.counts(2) == [round, round])
      #expect(try second.counts(3) == [round, round, round])
    }
    #expect(server.journal.steps == 50)
    #expect(server.journal.rounds.count { $0 == 5 } >= 8)
  }

  @Test func oneSessionsTroubleIsItsOwn() throws {
    let server = try TestServer {
      $0.batchingSeconds = 0.2
      $0.inlineSeconds = 0
    }
    let good = try RawClient(server.endpoint)
    let bad = try RawClient(server.endpoint)
    _ = try good.open()
    _ = try bad.open(2)
    let rounds: [(actions: [Int32], slots: [Int32], status: Status)] = [
      ([0, 0], [], .ok),
      ([CountingPool.throwing, 0], [], .upstreamRefused),
      ([0], [], .countMismatch),
      ([0, 0], [1, 1], .repeatedSlot),
      ([0, 0], [0, 44], .unknownSlot),
      ([0, CountingPool.faulty], [], .ok),
    ]
    for (index, round) in rounds.enumerated() {
      let sequence = UInt64(index + 2)
      try good.sendStep([1], sequence)
      try bad.sendStep(round.actions, slots: round.slots, sequence)
      let (fine, trouble) = (try good.receive(), try bad.receive())
      #expect(try fine.counts(1) == [Int32(index + 1)])
      #expect(trouble.status == round.status)
      if index == rounds.count - 1 {
        var batch = StepBatch(observationSpace: Box(height: 1, width: 1, channels: 4))
        try BatchReply.read(trouble, count: 2, auxiliaries: [], into: &batch)
        #expect(batch.faults == [nil, .fault("as asked")])
      }
    }
  }

  /// A client that goes away in the middle costs the others two deadlines.
  @Test func aClientThatIsGoneDisturbsNobody() throws {
    let server = try TestServer { $0.batchingSeconds = 0.2 }
    let good = try RawClient(server.endpoint)
    _ = try good.open()
    do {
      let gone = try RawClient(server.endpoint)
      _ = try gone.open()
      try gone.sendStep([CountingPool.slow], 2)
      Thread.sleep(forTimeInterval: 0.05)
    }
    let start = ContinuousClock.now
    for sequence in 2..<102 as Range<UInt64> {
      let reply = try good.step([0], sequence)
      #expect(reply.status == .ok)
    }
    // What is slow, two deadlines, and little else: a hundred deadlines are 20 seconds.
    #expect(ContinuousClock.now - start < .seconds(3))
  }

  @Test func aFullQueueIsBusy() throws {
    let server = try TestServer { $0.limits.queuedRequests = 1 }
    let one = try RawClient(server.endpoint)
    let two = try RawClient(server.endpoint)
    _ = try one.open()
    _ = try two.open()
    try one.sendStep([CountingPool.slow], 2)
    Thread.sleep(forTimeInterval: 0.1)
    let busy = try two.step([0], 2)
    #expect(busy.status == .busy && busy.envelope.retryAfterMilliseconds > 0)
    let slow = try one.receive()
    #expect(slow.status == .ok)
    let later = try two.step([0], 2)
    #expect(try later.counts(1) == [1], "the number was not used up")
  }
}
