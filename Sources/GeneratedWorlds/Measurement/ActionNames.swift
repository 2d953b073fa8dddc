import Autograd
import Environments
import Foundation
import NeuralNetwork
import Video
import WorldModel

extension World {
  /// What to call each action: the names that the world has, or those of the real actions that labelled transitions told,
  /// or else the direction in which something was seen to move.
  /// - Throws: `EnvironmentError`, for instance for a world without levels.
  public func namesOfActions(workers: Workers) throws(EnvironmentError) -> [String] {
    if !manifest.actionNames.isEmpty { return manifest.actionNames }
    if let map = manifest.actionMap {
      return map.real.map { map.names.indices.contains(Int($0)) ? map.names[Int($0)] : "button \($0)" }
    }
    return try motionNames(workers: workers)
  }

  /// Names by what is seen: each action is held for a few frames from several levels, and what most of them do is the name.
  public func motionNames(workers: Workers) throws(EnvironmentError) -> [String] {
    let steps = 3
    let starts = min(24, levels.clips)
    let t = genie.configuration.tokenizer
    guard starts > 0, min(t.height, t.width) > 2 * SeenMotion.reach else {
      return [String](repeating: "", count: actions)
    }
    var pool = GeneratedWorldPool(self, workers: workers, rewards: NoRewards())
    var slots: [Slot] = []
    for _ in 0..<starts { slots.append(try pool.open(OpenOptions(horizon: steps + 1))) }
    var batch = pool.makeBatch()
    var names: [String] = []
    for action in 0..<actions {
      try pool.reset(slots, (0..<starts).map { ResetOptions(seed: 0, level: $0) }, into: &batch)
      var frames = [(0..<starts).map { batch.newestFrame($0) }]
      for _ in 0..<steps {
        try pool.step(slots, [Int32](repeating: Int32(action), count: starts), into: &batch)
        frames.append((0..<starts).map { batch.newestFrame($0) })
      }
      let seen = Slots<(x: Int, y: Int)>(count: starts)
      workers.run { [frames, count = workers.count] worker in
        for row in stride(from: worker, to: starts, by: count) {
          seen[row] = Self.motion(frames.map { $0[row] })
        }
      }
      let motion = seen.all.reduce((x: 0.0, y: 0.0)) { sum, one in
        (sum.x + Double(one.x.signum()) / Double(starts), sum.y + Double(one.y.signum()) / Double(starts))
      }
      names.append(Self.name(of: motion))
    }
    return names
  }

  /// Where the player went in a few frames: step by step, or else, where that is too little to be seen, all at once.
  private static func motion(_ frames: [Picture]) -> (x: Int, y: Int) {
    var sum = (x: 0, y: 0)
    for (before, after) in zip(frames, frames.dropFirst()) {
      let moved = SeenMotion(from: before, to: after).ofPlayer
      sum = (sum.x + moved.x, sum.y + moved.y)
    }
    return sum == (0, 0) ? SeenMotion(from: frames.first!, to: frames.last!).ofPlayer : sum
  }

  /// One of eight directions, or none.
  /// - Parameter motion: how much oftener something went right than left, and down than up, as a share of all frames.
  static func name(of motion: (x: Double, y: Double)) -> String {
    var parts: [String] = []
    if abs(motion.y) >= 0.35 { parts.append(motion.y < 0 ? "up" : "down") }
    if abs(motion.x) >= 0.35 { parts.append(motion.x < 0 ? "left" : "right") }
    return parts.isEmpty ? "still" : parts.joined(separator: "-")
  }
}
