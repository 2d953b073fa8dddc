import Environments
import Video
import WorldModel

/// Dreams that start from held-out clips, sampled through the pool as it is served.
struct Rollout {
  /// The last known frame as the dream shows it, one a clip.
  let starts: [[UInt8]]
  /// The frames after the start, `[clips][horizon]`.
  let frames: [[[UInt8]]]

  /// - Parameter actions: for each clip, the action of each dreamt frame.
  init(
    _ pool: inout GeneratedWorldPool, clips: HeldOutClips, rows: [Int], actions: [[Int32]]
  ) throws(EnvironmentError) {
    precondition(rows.count == actions.count, "\(actions.count) lists of actions for \(rows.count) clips")
    let steps = actions.first?.count ?? 0
    var slots: [Slot] = []
    for _ in rows { slots.append(try pool.open(OpenOptions(horizon: max(1, steps) + 1))) }
    defer { for slot in slots { pool.close(slot) } }
    var batch = pool.makeBatch()
    let prompts = rows.map { ResetOptions(seed: UInt64($0), prompt: clips.prompt($0)) }
    try pool.reset(slots, prompts, into: &batch)
    var frames = [[[UInt8]]](repeating: [], count: rows.count)
    var last = (0..<rows.count).map { Array(batch.observation($0)) }
    self.starts = last
    for step in 0..<steps {
      try pool.step(slots, actions.map { $0[step] }, into: &batch)
      for row in rows.indices {
        // A dream that ended stays as it was: it is measured to its horizon all the same.
        if batch.faults[row] == nil { last[row] = Array(batch.observation(row)) }
        frames[row].append(last[row])
      }
    }
    self.frames = frames
  }
}
