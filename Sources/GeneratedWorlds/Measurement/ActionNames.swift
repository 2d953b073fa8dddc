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
    let steps = 2
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
      var motion = (x: 0.0, y: 0.0)
      for _ in 0..<steps {
        let before = (0..<starts).map { batch.newestFrame($0) }
        try pool.step(slots, [Int32](repeating: Int32(action), count: starts), into: &batch)
        let after = (0..<starts).map { batch.newestFrame($0) }
        let seen = Slots<(x: Double, y: Double)>(count: starts)
        workers.run { [count = workers.count] worker in
          for row in stride(from: worker, to: starts, by: count) {
            let moved = SeenMotion(from: before[row], to: after[row]).ofPlayer
            seen[row] = (Double(moved.x.signum()), Double(moved.y.signum()))
          }
        }
        for one in seen.all {
          motion.x += one.x / Double(starts * steps)
          motion.y += one.y / Double(starts * steps)
        }
      }
      names.append(Self.name(of: motion))
    }
    return names
  }

  /// One of eight directions, or none.
  /// - Parameter motion: how much oftener something went right than left, and down than up, as a share of all frames.
  static func name(of motion: (x: Double, y: Double)) -> String {
    var parts: [String] = []
    if abs(motion.y) >= 0.25 { parts.append(motion.y < 0 ? "up" : "down") }
    if abs(motion.x) >= 0.25 { parts.append(motion.x < 0 ? "left" : "right") }
    return parts.isEmpty ? "still" : parts.joined(separator: "-")
  }
}
