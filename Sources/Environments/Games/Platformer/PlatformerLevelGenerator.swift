/// Builds a level from its number: ground of varying height and one obstacle after another.
///
/// What stands on the ground has to be flown over, what hangs from the top has to be flown under, and both come
/// in every level, so that one must weave: no flight at one height reaches the goal (``PlatformerLevel/isFair``).
struct PlatformerLevelGenerator {
  private enum Obstacle: CaseIterable {
    case pit, pillar, stalactite, gate, spikes, platform
  }

  private static let startColumns = 9
  private static let goalColumn = PlatformerLevel.columns - 4

  private var random: SplitMix64
  private var level: PlatformerLevel
  /// The column to be built next.
  private var column = 0
  /// Tiles of ground in it, 1 to 3.
  private var height = 2

  /// The row of a player that stands on the ground.
  private var standing: Int { PlatformerLevel.rows - 1 - height }

  private init(seed: UInt64, theme: Int) {
    random = SplitMix64(seed: seed)
    level = PlatformerLevel(theme: theme)
  }

  /// The level of that number; every number is one.
  static func level(_ number: Int) -> PlatformerLevel {
    var random = SplitMix64(seed: SplitMix64.mix(UInt64(bitPattern: Int64(number))) ^ 0x506C_6174_666F_726D)
    let theme = random.next(below: PlatformerLevel.themes)
    while true {
      var generator = PlatformerLevelGenerator(seed: random.next(), theme: theme)
      let level = generator.build()
      if level.isFair { return level }
    }
  }

  private mutating func build() -> PlatformerLevel {
    layGround(Self.startColumns)
    var bag: [Obstacle] = []
    while column < Self.goalColumn - 11 {
      if bag.isEmpty { bag = shuffledObstacles() }
      build(bag.removeLast())
      if random.chance(3, in: 5) { height = min(max(height + (random.chance(1, in: 2) ? 1 : -1), 1), 3) }
      let run = random.next(in: 2...4)
      if random.chance(1, in: 3) { placeCoins(row: standing, columns: column..<column + run - 1) }
      layGround(run)
    }
    layGround(PlatformerLevel.columns - column)
    for row in 2...standing { level[row, Self.goalColumn] = .pole }
    level[1, Self.goalColumn] = .flag
    placeClouds()
    return level
  }

  private mutating func shuffledObstacles() -> [Obstacle] {
    var obstacles = Obstacle.allCases
    for last in stride(from: obstacles.count - 1, to: 0, by: -1) {
      obstacles.swapAt(last, random.next(below: last + 1))
    }
    return obstacles
  }

  private mutating func build(_ obstacle: Obstacle) {
    switch obstacle {
    case .pit: buildPit()
    case .pillar: buildPillar(top: max(standing - random.next(in: 1...3), 2), width: random.next(in: 1...2))
    case .stalactite:
      buildStalactite(length: min(random.next(in: 2...5), standing - 1), width: random.next(in: 1...2))
    case .gate: buildGate()
    case .spikes: buildSpikes()
    case .platform: buildPlatform()
    }
  }
}

extension PlatformerLevelGenerator {
  private mutating func layGround(_ count: Int) {
    for _ in 0..<min(count, PlatformerLevel.columns - column) {
      level[standing + 1, column] = .ground
      for row in standing + 2..<max(PlatformerLevel.rows, standing + 2) {
        level[row, column] = random.chance(1, in: 5) ? .stone : .soil
      }
      column += 1
    }
  }

  private mutating func placeCoins(row: Int, columns: Range<Int>) {
    for column in columns { level[row, column] = .coin }
  }

  /// Coins in a bow over `width` columns from the next one on.
  private mutating func placeArc(width: Int) {
    for offset in 0..<width {
      let isEdge = width > 1 && (offset == 0 || offset == width - 1)
      level[max(standing - (isEdge ? 2 : 3), 1), column + offset] = .coin
    }
  }

  private mutating func buildPit() {
    let width = random.next(in: 1...4)
    if random.chance(2, in: 3) { placeArc(width: width) }
    column += width
  }

  /// Bricks from the ground up to row `top`.
  private mutating func buildPillar(top: Int, width: Int) {
    let crowned = random.chance(1, in: 2)
    for _ in 0..<width {
      for row in top...standing { level[row, column] = .brick }
      if crowned { level[top - 1, column] = .coin }
      layGround(1)
    }
  }

  /// Bricks from the top down and spikes below them, `length` tiles in all; at least two stay free below.
  private mutating func buildStalactite(length: Int, width: Int) {
    let baited = random.chance(1, in: 2)
    for _ in 0..<width {
      for row in 0..<length - 1 { level[row, column] = .brick }
      level[length - 1, column] = .hangingSpike
      if baited { level[standing, column] = .coin }
      layGround(1)
    }
  }

  /// A pillar and a stalactite in either order that between them leave no height free.
  private mutating func buildGate() {
    height = random.next(in: 1...2)
    let top = random.next(in: 3...4)
    let length = height == 1 ? random.next(in: 4...5) : 4
    let pillarFirst = random.chance(1, in: 2)
    let gap = random.next(in: 2...3)
    if pillarFirst {
      buildPillar(top: top, width: random.next(in: 1...2))
    } else {
      buildStalactite(length: length, width: 1)
    }
    if random.chance(1, in: 2) { level[standing - 1, column + gap / 2] = .coin }
    layGround(gap)
    if pillarFirst {
      buildStalactite(length: length, width: 1)
    } else {
      buildPillar(top: top, width: random.next(in: 1...2))
    }
  }

  private mutating func buildSpikes() {
    let width = random.next(in: 1...3)
    for offset in 0..<width { level[standing, column + offset] = .spike }
    if random.chance(2, in: 3) { placeArc(width: width) }
    layGround(width)
  }

  /// Bricks in the air, with coins on them or under them.
  private mutating func buildPlatform() {
    let width = random.next(in: 2...4)
    let row = standing - 2
    for offset in 0..<width { level[row, column + offset] = .brick }
    placeCoins(row: random.chance(2, in: 3) ? row - 1 : standing, columns: column..<column + width)
    layGround(width)
  }

  /// A few clouds, two tiles wide, where nothing else is.
  private mutating func placeClouds() {
    var column = random.next(below: 6)
    while column < PlatformerLevel.columns - 1 {
      let row = random.next(below: 3)
      if level[row, column] == .sky, level[row, column + 1] == .sky {
        level[row, column] = .cloudLeft
        level[row, column + 1] = .cloudRight
      }
      column += random.next(in: 6...12)
    }
  }
}

extension PlatformerLevel {
  /// Whether the goal can be reached from the start, and by no flight at one height.
  var isFair: Bool {
    guard let start = ground(under: 1) else { return false }
    let search = PlatformerSearch(in: self, from: start)
    guard search.nearest(where: isGoal) != nil else { return false }
    return (0..<2 * Self.rows - 2).allSatisfy { y in
      (start.x..<Self.width).contains { x in
        let position = PlatformerPosition(x: x, y: y)
        return isBlocked(position) || isDeadly(position)
      }
    }
  }

  /// Where a player can stand in a column, on what rises from its bottom; nil over a pit or on a spike.
  func ground(under column: Int) -> PlatformerPosition? {
    guard self[Self.rows - 1, column].isSolid else { return nil }
    var row = Self.rows - 1
    while row > 0, self[row, column].isSolid { row -= 1 }
    let position = PlatformerPosition(x: 2 * column, y: 2 * row)
    return isBlocked(position) || isDeadly(position) ? nil : position
  }
}
