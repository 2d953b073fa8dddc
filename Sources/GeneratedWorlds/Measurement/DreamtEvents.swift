import Autograd
import Environments
import Foundation
import Video

/// Moments of dreams in which the reward model said that something was earned or that the episode ended: for a person to see
/// whether it said so at the right frame.
public struct DreamtEvents: Sendable {
  /// The frames around one such moment.
  public struct Moment: Sendable {
    /// Its reward, as `+1`, or `end` where the episode ended and nothing was earned.
    public let event: String
    /// Frames before, and the one with which it came.
    public let before: [Picture]
    public let frame: Picture
    /// The frame after it; nil where the episode ended.
    public fileprivate(set) var after: Picture?
  }

  public private(set) var moments: [Moment] = []
  /// How often each event came, and in how many steps.
  public private(set) var counts: [String: Int] = [:]
  public private(set) var steps = 0

  /// Frames before the event that are kept.
  private static let past = 5

  /// Plays uniformly random actions from held-out starts until the worlds end.
  /// - Parameters:
  ///   - starts: one for each world.
  ///   - steps: of each world at most.
  ///   - kept: moments of each event.
  public init(
    _ world: World, starts: [ResetOptions], steps limit: Int = 128, kept: Int = 6, workers: Workers
  ) throws(EnvironmentError) {
    var pool = GeneratedWorldPool(world, workers: workers)
    var slots: [Slot] = []
    defer { for slot in slots { pool.close(slot) } }
    for _ in starts { slots.append(try pool.open(OpenOptions(horizon: limit))) }
    var batch = pool.makeBatch()
    try pool.reset(slots, starts, into: &batch)
    var pasts = (0..<batch.count).map { [batch.newestFrame($0)] }
    /// Of each world, a moment that waits for the frame after it.
    var waiting: [Int: Int] = [:]
    var running = Array(slots.indices)
    let key = RandomKey(seed: 0).folded(in: "events")
    for step in 0..<limit where !running.isEmpty {
      let own = key.folded(in: UInt64(step))
      try pool.step(
        running.map { slots[$0] }, running.map { Int32(own.integer(UInt64($0), below: world.actions)) },
        into: &batch)
      for case let fault? in batch.faults { throw fault }
      var going: [Int] = []
      for (row, index) in running.enumerated() {
        let frame = batch.newestFrame(row)
        steps += 1
        if let moment = waiting.removeValue(forKey: index) { moments[moment].after = frame }
        if let event = Self.event(reward: batch.rewards[row], ended: batch.terminated[row]) {
          counts[event, default: 0] += 1
          if moments.count(where: { $0.event == event }) < kept {
            waiting[index] = moments.count
            moments.append(Moment(event: event, before: pasts[index], frame: frame, after: nil))
          }
        }
        pasts[index] = pasts[index].suffix(Self.past - 1) + [frame]
        if !batch.terminated[row] && !batch.truncated[row] { going.append(index) }
      }
      running = going
    }
    moments.sort { $0.event < $1.event }
  }

  private static func event(reward: Float, ended: Bool) -> String? {
    guard reward != 0 else { return ended ? "end" : nil }
    return (reward > 0 ? "+" : "") + String(format: "%g", reward)
  }

  /// A row for each moment: what came before, the frame with which it came, and the next.
  public func sheet() -> Picture {
    var sheet = ContactSheet(
      scale: 2, margin: 3, columns: (0..<Self.past).map { "\($0 - Self.past)" } + ["event", "+1"])
    for moment in moments {
      let missing = [Picture](
        repeating: Picture(height: 1, width: 1, red: 24, green: 24, blue: 28),
        count: Self.past - moment.before.count)
      sheet.append(moment.event, missing + moment.before + [moment.frame] + (moment.after.map { [$0] } ?? []))
    }
    return sheet.picture()
  }
}
