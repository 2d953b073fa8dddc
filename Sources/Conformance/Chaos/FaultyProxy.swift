import Environments
import Foundation
import WireProtocol
import WorldServer

/// Stands between one client and a server, and loses, doubles, delays, reorders and cuts what it passes on.
final class FaultyProxy: Sendable {
  /// How often, of all messages, in either direction.
  struct Faults: Sendable {
    var lost = 0.05
    var doubled = 0.02
    /// Held back until the next one has passed.
    var reordered = 0.01
    /// The connection to the server is cut, and made anew.
    var cut = 0.001
  }

  /// What was done so far.
  struct Tally: Sendable {
    var passed = 0, lost = 0, doubled = 0, reordered = 0, cut = 0
  }

  let endpoint: String
  private let state = Locked((tally: Tally(), isCut: false, isStopped: false))

  init(to server: String, at address: String = "ipc://*", _ faults: Faults, seed: UInt64) throws {
    let front = Handover<String>()
    let thread = Thread { [state] in
      do {
        let context = try Context()
        let socket = try Socket(
          .router, in: context, SocketOptions(sendLimit: 64, receiveLimit: 64, frameBytes: -1))
        front.give(try socket.bind(address))
        try Self.run(socket, server, context, faults, SplitMix64(seed: seed), state)
      } catch {
        front.give("")
      }
    }
    thread.start()
    endpoint = front.take()
  }

  var tally: Tally { state.read { $0.tally } }

  /// Passes nothing on, in either direction, until it is told otherwise.
  func cut(_ isCut: Bool) { state.change { $0.isCut = isCut } }

  func stop() { state.change { $0.isStopped = true } }

  private static func run(
    _ front: borrowing Socket, _ server: String, _ context: Context, _ faults: Faults, _ random: SplitMix64,
    _ state: Locked<(tally: Tally, isCut: Bool, isStopped: Bool)>
  ) throws {
    var random = random
    func chance(_ share: Double) -> Bool { Double(random.next(below: 1 << 30)) < share * Double(1 << 30) }
    func connect() throws -> Socket {
      let back = try Socket(
        .dealer, in: context, SocketOptions(sendLimit: 64, receiveLimit: 64, frameBytes: -1))
      try back.connect(server)
      _ = try back.waitToSend(milliseconds: 500)
      return back
    }
    var back = try connect()
    var peer: Frame?
    var held: [(toServer: Bool, frames: [Frame])] = []
    /// What becomes of a message: the messages that are passed on in its place.
    func fate(_ frames: [Frame], toServer: Bool) -> [[Frame]] {
      if state.read({ $0.isCut }) { return [] }
      var all: [[Frame]] = []
      if chance(faults.lost) {
        state.change { $0.tally.lost += 1 }
      } else if chance(faults.reordered) {
        state.change { $0.tally.reordered += 1 }
        held.append((toServer, frames))
        return []
      } else {
        all.append(frames)
        if chance(faults.doubled) {
          state.change { $0.tally.doubled += 1 }
          all.append(frames)
        }
      }
      all += held.filter { $0.toServer == toServer }.map(\.frames)
      held.removeAll { $0.toServer == toServer }
      state.change { $0.tally.passed += all.count }
      return all
    }
    while !state.read({ $0.isStopped }) {
      let request = try front.receive(limit: 64)
      if let request {
        peer = request[0]
        for frames in fate(Array(request.dropFirst()), toServer: true) { _ = try back.send(frames) }
        if chance(faults.cut) {
          state.change { $0.tally.cut += 1 }
          back = try connect()
        }
      }
      let reply = try back.receive(limit: 64)
      if let reply, let peer {
        for frames in fate(reply, toServer: false) { _ = try front.send(frames, to: peer) }
      }
      if request == nil && reply == nil { try front.wait(besides: back, milliseconds: 20) }
    }
  }
}

/// A value that several threads read and change.
final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func read<Result>(_ body: (Value) -> Result) -> Result { lock.withLock { body(value) } }
  func change(_ body: (inout Value) -> Void) { lock.withLock { body(&value) } }
}
