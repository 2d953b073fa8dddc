import Environments

/// Six places in a row; the goal, at the right end, pays 1 and ends the episode. Walking left leads nowhere.
struct Corridor: Game {
  static let places = 6
  let specification = EnvironmentSpecification(
    name: "Corridor", observationSpace: Box(height: 1, width: places, channels: 1),
    actionSpace: Discrete(2, names: ["left", "right"]), horizon: 20)
  private var place = 0

  mutating func reset(seed: UInt64, level: Int?) { place = 0 }

  mutating func step(_ action: Int32) -> GameOutcome {
    place = max(0, place + (action == 1 ? 1 : -1))
    let isGoal = place == Self.places - 1
    return GameOutcome(reward: isGoal ? 1 : 0, terminated: isGoal)
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    for index in pixels.indices { pixels[index] = index == place ? 255 : 0 }
  }

  func auxiliary(_ name: String) -> Float { .nan }
  func save(to snapshot: inout SnapshotWriter) {}
  mutating func load(from snapshot: inout SnapshotReader) {}
}

/// Pays 21 in the first step and 1 in every other, for ever; only a horizon cuts it. Or, if `dies`, it ends
/// by itself after as many steps. The start is black, all else white.
struct Salary: Game {
  var specification = EnvironmentSpecification(
    name: "Salary", observationSpace: Box(height: 1, width: 1, channels: 1), actionSpace: Discrete(2),
    horizon: 5)
  let dies: Bool
  private var steps = 0

  init(dies: Bool) { self.dies = dies }

  mutating func reset(seed: UInt64, level: Int?) { steps = 0 }

  mutating func step(_ action: Int32) -> GameOutcome {
    steps += 1
    return GameOutcome(reward: steps == 1 ? 21 : 1, terminated: dies && steps == 5)
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    pixels.update(repeating: steps == 0 ? 0 : 255)
  }

  func auxiliary(_ name: String) -> Float { .nan }
  func save(to snapshot: inout SnapshotWriter) {}
  mutating func load(from snapshot: inout SnapshotReader) {}
}

/// Levels 0..<10: level `n` ends after `n` steps, each paying 1; level 0 cannot be started. Draws the
/// seed's last byte.
struct Levels: Game {
  let specification = EnvironmentSpecification(
    name: "Levels", observationSpace: Box(height: 1, width: 1, channels: 1), actionSpace: Discrete(3),
    levels: 10)
  private var left = 0
  private var seed: UInt64 = 0

  mutating func reset(seed: UInt64, level: Int?) throws(EnvironmentError) {
    guard let level, level > 0 else { throw .unknownLevel(level ?? 0, count: 10) }
    self.seed = seed
    left = level
  }

  mutating func step(_ action: Int32) -> GameOutcome {
    left -= 1
    return GameOutcome(reward: Float(action), terminated: left == 0)
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    pixels.update(repeating: UInt8(truncatingIfNeeded: seed))
  }

  func auxiliary(_ name: String) -> Float { .nan }
  func save(to snapshot: inout SnapshotWriter) {}
  mutating func load(from snapshot: inout SnapshotReader) {}
}
