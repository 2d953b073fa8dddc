import Environments
import WireProtocol

/// Worlds that are kept, brought back and copied, at the server.
extension RemotePool {
  public func snapshot(_ slot: Slot) throws(EnvironmentError) -> [UInt8] { try snapshot([slot])[0] }

  /// Snapshots of several slots at once.
  public func snapshot(_ slots: [Slot]) throws(EnvironmentError) -> [[UInt8]] {
    let numbers = try numbers(of: slots, slots.count, "slots")
    guard !slots.isEmpty else { return [] }
    let reply = try call(.snapshot) { Message($0, payloads: SlotsRequest(slots: numbers).payloads) }
    do throws(WireError) {
      try reply.requirePayloads(2)
      let blobs = try Blobs(lengths: reply.payloads[0], bytes: reply.payloads[1]).blobs
      guard blobs.count == slots.count else { throw .malformed("\(blobs.count) snapshots of \(slots.count)") }
      return blobs
    } catch {
      throw .refused(reason: error.description)
    }
  }

  public func restore(_ slot: Slot, from snapshot: [UInt8]) throws(EnvironmentError) {
    try restore([slot], from: [snapshot])
  }

  /// Puts several slots into states that were kept: all of them, or none.
  /// - Throws: `refused`, with nothing sent, where they are more bytes than the server takes in one message.
  public func restore(_ slots: [Slot], from snapshots: [[UInt8]]) throws(EnvironmentError) {
    let numbers = try numbers(of: slots, snapshots.count, "snapshots")
    guard !slots.isEmpty else { return }
    let payloads = RestoreRequest(slots: numbers, blobs: snapshots).payloads
    _ = try call(.restore) { Message($0, payloads: payloads) }
  }

  public func fork(_ slot: Slot) throws(EnvironmentError) -> Slot { try fork(slot, count: 1)[0] }

  /// Opens `count` slots in the state of another, or none.
  public func fork(_ slot: Slot, count: Int) throws(EnvironmentError) -> [Slot] {
    _ = try numbers(of: [slot], 1, "slots")
    let request = SlotsRequest(slots: Array(repeating: slot.index, count: count))
    guard count > 0 else { return [] }
    let reply = try call(.fork) { Message($0, payloads: request.payloads) }
    let forks = try register(reply)
    guard forks.count == count else {
      throw .refused(reason: "the server made \(forks.count) forks, not \(count)")
    }
    return forks
  }
}
