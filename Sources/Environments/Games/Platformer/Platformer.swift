/// `Platformer-v1`: a small hero that flutters through a side-scrolling level to the flag at its end.
///
/// A frame is 64 x 64 RGB. The camera keeps the hero at 24 pixels from the left; everything moves in units of
/// 4 pixels. The six actions are ``PlatformerAction``, the motion is that of ``PlatformerLevel``: no velocity,
/// no fuel, nothing that the frame does not show. A coin earns 1, the flag 10 and ends the episode; leaving the
/// screen at its top, falling into a pit or touching a spike ends it with 0.
///
/// Frames are frozen by tests: whatever changes one of them is a `Platformer-v2`.
///
/// Auxiliaries: `dx` and `dy` (the visible effect of the step, ``PlatformerEffect``), `playerX` and `playerY`
/// (units of 4 pixels), `state` (``State``).
public struct Platformer: Game {
  /// What one sees the hero do.
  public enum State: UInt8, Sendable {
    case standing, flying, dead, won
  }

  public let specification = EnvironmentSpecification(
    name: "Platformer-v1", observationSpace: Box(height: 64, width: 64),
    actionSpace: Discrete(PlatformerAction.allCases.count, names: PlatformerAction.allCases.map(\.name)),
    horizon: 500, auxiliaries: ["dx", "dy", "playerX", "playerY", "state"])

  /// Whether an episode starts in any column of the level rather than in the first few: for varied video.
  public let startAnywhere: Bool

  public private(set) var level: PlatformerLevel
  public private(set) var position: PlatformerPosition
  public private(set) var state = State.standing
  /// What the last step did.
  public private(set) var effect = PlatformerEffect()
  private(set) var facesLeft = false

  public init(startAnywhere: Bool = false) {
    self.startAnywhere = startAnywhere
    level = PlatformerLevel(theme: 0)
    position = PlatformerPosition(x: 0, y: 0)
  }

  /// - Parameter level: any number is a level; without one, the seed is its number.
  public mutating func reset(seed: UInt64, level number: Int?) {
    level = PlatformerLevelGenerator.level(number ?? Int(truncatingIfNeeded: seed))
    var random = SplitMix64(seed: seed ^ 0x5374_6172_7453_7461)
    let columns = startAnywhere ? 1...PlatformerLevel.columns - 6 : 1...6
    repeat {
      position = level.ground(under: random.next(in: columns)) ?? PlatformerPosition(x: 0, y: -1)
    } while level.isDeadly(position)
    state = .standing
    effect = PlatformerEffect()
    facesLeft = false
    // A coin where the hero starts would be earned without a step.
    _ = takeCoins()
  }

  public mutating func step(_ code: Int32) -> GameOutcome {
    guard let action = PlatformerAction(rawValue: code) else {
      preconditionFailure("action \(code) is outside 0..<\(PlatformerAction.allCases.count)")
    }
    let before = position
    position = level.position(after: action, from: before)
    effect = PlatformerEffect(dx: position.x - before.x, dy: position.y - before.y)
    if action.direction != 0 { facesLeft = action.direction < 0 }
    if level.isDeadly(position) {
      state = .dead
      return GameOutcome(terminated: true)
    }
    let coins = takeCoins()
    if level.isGoal(position) {
      state = .won
      return GameOutcome(reward: Float(coins) + 10, terminated: true)
    }
    state = level.isStanding(position) ? .standing : .flying
    return GameOutcome(reward: Float(coins))
  }

  private mutating func takeCoins() -> Int {
    guard let touched = level.tilesTouched(at: position) else { return 0 }
    var coins = 0
    for row in touched.rows {
      for column in touched.columns where level[row, column] == .coin {
        level[row, column] = .sky
        coins += 1
      }
    }
    return coins
  }

  /// Closes a column of the level with bricks, from the top to the ground or to the bottom of a pit: no level has that, dreams do.
  package mutating func close(_ column: Int) {
    for row in 0..<PlatformerLevel.rows where !level[row, column].isSolid { level[row, column] = .brick }
  }

  public func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    PlatformerArt.standard.draw(self, into: pixels)
  }

  public func auxiliary(_ name: String) -> Float {
    switch name {
    case "dx": Float(effect.dx)
    case "dy": Float(effect.dy)
    case "playerX": Float(position.x)
    case "playerY": Float(position.y)
    case "state": Float(state.rawValue)
    default: .nan
    }
  }
}

extension Platformer {
  public func save(to snapshot: inout SnapshotWriter) {
    snapshot.write(UInt8(level.theme))
    snapshot.write(level.tiles.map(\.rawValue))
    snapshot.write(Int16(position.x))
    snapshot.write(Int16(position.y))
    snapshot.write(Int8(effect.dx))
    snapshot.write(Int8(effect.dy))
    snapshot.write(state.rawValue)
    snapshot.write(UInt8(facesLeft ? 1 : 0))
  }

  public mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let theme = Int(try snapshot.read(UInt8.self))
    let tiles = try snapshot.readBytes().compactMap(PlatformerTile.init)
    let x = Int(try snapshot.read(Int16.self))
    let y = Int(try snapshot.read(Int16.self))
    let dx = Int(try snapshot.read(Int8.self))
    let dy = Int(try snapshot.read(Int8.self))
    let state = State(rawValue: try snapshot.read(UInt8.self))
    let facesLeft = try snapshot.read(UInt8.self) == 1
    guard theme < PlatformerLevel.themes, tiles.count == level.tiles.count, let state,
      (0..<PlatformerLevel.width).contains(x), (-1..<2 * PlatformerLevel.rows - 1).contains(y),
      (-1...1).contains(dx), (-1...1).contains(dy)
    else { throw .invalidSnapshot("it holds no state of Platformer-v1") }
    level.theme = theme
    level.tiles = tiles
    position = PlatformerPosition(x: x, y: y)
    effect = PlatformerEffect(dx: dx, dy: dy)
    self.state = state
    self.facesLeft = facesLeft
  }
}
