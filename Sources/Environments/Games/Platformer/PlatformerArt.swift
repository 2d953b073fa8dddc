/// The pixels of tiles and of the hero, in every palette, ready to be copied.
///
/// Tiles are kept in halves of 4 x 8 pixels, because the world scrolls by 4: a frame is 16 columns of halves.
struct PlatformerArt: Sendable {
  static let standard = PlatformerArt()

  private static let frameSize = 64
  /// Bytes of one row of half a tile.
  private static let stripe = 4 * 3
  private static let half = PlatformerBitmap.size * stripe
  /// Units from the left edge of the screen to the hero.
  static let heroColumn = 6

  /// `[themes, tiles, 2, 8, 4, 3]`
  private let tiles: [UInt8]
  /// `[poses, 2, 8, 8, 4]`: red, green, blue, and 1 where there is anything; the second half looks left.
  private let poses: [UInt8]

  private enum Pose: Int, CaseIterable {
    case walkingApart, walkingTogether, wingsUp, wingsDown, dead, won

    var bitmap: PlatformerBitmap {
      switch self {
      case .walkingApart: .walkingApart
      case .walkingTogether: .walkingTogether
      case .wingsUp: .wingsUp
      case .wingsDown: .wingsDown
      case .dead: .dead
      case .won: .won
      }
    }
  }

  private init() {
    var tiles: [UInt8] = []
    for palette in Self.palettes {
      for tile in PlatformerTile.allCases {
        let bitmap = tile.bitmap
        for side in 0..<2 {
          for row in bitmap.rows {
            for letter in row[4 * side..<4 * side + 4] {
              let color = palette[letter] ?? Self.shared[letter]!
              tiles += [color.red, color.green, color.blue]
            }
          }
        }
      }
    }
    self.tiles = tiles
    var poses: [UInt8] = []
    for pose in Pose.allCases {
      for bitmap in [pose.bitmap, pose.bitmap.mirrored] {
        for letter in bitmap.rows.joined() {
          let color = Self.shared[letter]
          poses += color.map { [$0.red, $0.green, $0.blue, 1] } ?? [0, 0, 0, 0]
        }
      }
    }
    self.poses = poses
  }

  /// Draws a frame, `[64, 64, 3]`.
  func draw(_ game: Platformer, into pixels: UnsafeMutableBufferPointer<UInt8>) {
    precondition(
      pixels.count == Self.frameSize * Self.frameSize * 3,
      "a frame has 64 x 64 x 3 bytes, not \(pixels.count)")
    drawLevel(game.level, from: game.position.x - Self.heroColumn, into: pixels.baseAddress!)
    drawHero(game, into: pixels.baseAddress!)
  }

  private func drawLevel(_ level: PlatformerLevel, from left: Int, into pixels: UnsafeMutablePointer<UInt8>) {
    tiles.withUnsafeBufferPointer { tiles in
      for unit in 0..<Self.frameSize / 4 {
        let column = (left + unit) >> 1
        let side = (left + unit) & 1
        for row in 0..<PlatformerLevel.rows {
          // Beyond both ends stand walls.
          let tile = (0..<PlatformerLevel.columns).contains(column) ? level[row, column] : .brick
          let index = (level.theme * PlatformerTile.allCases.count + Int(tile.rawValue)) * 2 + side
          var source = tiles.baseAddress! + index * Self.half
          var target = pixels + (row * PlatformerBitmap.size * Self.frameSize + unit * 4) * 3
          for _ in 0..<PlatformerBitmap.size {
            target.update(from: source, count: Self.stripe)
            source += Self.stripe
            target += Self.frameSize * 3
          }
        }
      }
    }
  }

  private func drawHero(_ game: Platformer, into pixels: UnsafeMutablePointer<UInt8>) {
    let size = PlatformerBitmap.size
    let first = (pose(of: game).rawValue * 2 + (game.facesLeft ? 1 : 0)) * size * size
    for y in 0..<size {
      // At the top the hero may be half outside.
      let row = game.position.y * 4 + y
      guard (0..<Self.frameSize).contains(row) else { continue }
      for x in 0..<size {
        let source = (first + y * size + x) * 4
        guard poses[source + 3] == 1 else { continue }
        let target = (row * Self.frameSize + Self.heroColumn * 4 + x) * 3
        for channel in 0..<3 { pixels[target + channel] = poses[source + channel] }
      }
    }
  }

  /// Legs and wings move with the position, so that the pose adds no state of its own.
  private func pose(of game: Platformer) -> Pose {
    switch game.state {
    case .standing: game.position.x & 1 == 0 ? .walkingApart : .walkingTogether
    case .flying: game.position.y & 1 == 0 ? .wingsDown : .wingsUp
    case .dead: .dead
    case .won: .won
    }
  }
}

/// What a judge asks of the art; see ``PlatformerJudge``.
extension PlatformerArt {
  /// Poses, each looking right and then left.
  static let poseCount = 2 * Pose.allCases.count

  static func facesLeft(_ pose: Int) -> Bool { pose & 1 == 1 }
  /// Whether only the last frame of an episode shows it.
  static func isLast(_ pose: Int) -> Bool { pose >> 1 >= Pose.dead.rawValue }

  /// Calls `body` with the index in the frame of every pixel of a pose.
  func forEachPixel(pose: Int, x: Int, y: Int, _ body: (Int) -> Void) {
    let size = PlatformerBitmap.size
    for row in 0..<size where (0..<Self.frameSize).contains(y * 4 + row) {
      for column in 0..<size where poses[((pose * size + row) * size + column) * 4 + 3] == 1 {
        body((y * 4 + row) * Self.frameSize + x * 4 + column)
      }
    }
  }

  /// Mean squared error of a channel over the pixels of a pose; nil where it is not below `limit`.
  func poseError(_ pixels: UnsafePointer<UInt8>, pose: Int, x: Int, y: Int, limit: Int) -> Int? {
    let size = PlatformerBitmap.size
    let rows = max(0, -y * 4)..<min(size, Self.frameSize - y * 4)
    return poses.withUnsafeBufferPointer { poses -> Int? in
      let first = poses.baseAddress! + pose * size * size * 4
      var (sum, count) = (0, 0)
      for row in rows {
        let target = pixels + ((y * 4 + row) * Self.frameSize + x * 4) * 3
        for column in 0..<size {
          let source = first + (row * size + column) * 4
          guard source[3] == 1 else { continue }
          count += 1
          for channel in 0..<3 {
            let difference = Int(target[column * 3 + channel]) - Int(source[channel])
            sum += difference * difference
          }
        }
        // A pose has 48 pixels at most: the rest can only make it worse.
        if sum >= limit * size * size * 3 { return nil }
      }
      return count > 0 && sum < limit * count * 3 ? sum / (count * 3) : nil
    }
  }

  /// Squared error of half a tile, over the pixels that are not hidden; more than `limit` is not counted to its end.
  func cellError(
    _ pixels: UnsafePointer<UInt8>, _ hidden: UnsafeBufferPointer<Bool>, theme: Int, tile: PlatformerTile,
    side: Int, row: Int, column: Int, limit: Int
  ) -> Int {
    let index = (theme * PlatformerTile.allCases.count + Int(tile.rawValue)) * 2 + side
    return tiles.withUnsafeBufferPointer { tiles in
      let source = tiles.baseAddress! + index * Self.half
      var sum = 0
      for y in 0..<PlatformerBitmap.size where sum < limit {
        let first = (row * PlatformerBitmap.size + y) * Self.frameSize + column * 4
        for x in 0..<4 where !hidden[first + x] {
          for channel in 0..<3 {
            let (old, new) = (source[y * Self.stripe + x * 3 + channel], pixels[(first + x) * 3 + channel])
            let difference = Int(new) - Int(old)
            sum += difference * difference
          }
        }
      }
      return sum
    }
  }
}

extension PlatformerArt {
  private typealias Palette = [Character: PlatformerColor]

  /// A meadow by day, a cave at night, a desert at dusk.
  private static let palettes: [Palette] = [
    [
      "a": .init(124, 196, 252), "c": .init(236, 248, 255), "g": .init(92, 196, 76), "G": .init(44, 140, 60),
      "f": .init(176, 124, 80), "F": .init(140, 92, 56), "b": .init(200, 108, 84), "B": .init(128, 60, 52),
    ],
    [
      "a": .init(32, 30, 72), "c": .init(60, 58, 116), "g": .init(116, 140, 216), "G": .init(72, 88, 164),
      "f": .init(76, 72, 124), "F": .init(56, 52, 96), "b": .init(88, 148, 152), "B": .init(44, 84, 100),
    ],
    [
      "a": .init(255, 216, 160), "c": .init(255, 240, 216), "g": .init(224, 148, 72),
      "G": .init(180, 104, 48),
      "f": .init(204, 168, 112), "F": .init(168, 128, 80), "b": .init(148, 116, 148), "B": .init(92, 64, 96),
    ],
  ]

  /// Colours that do not change with the palette: coins, spikes, flag, and the hero's own.
  private static let shared: Palette = [
    "y": .init(255, 204, 32), "Y": .init(255, 244, 152), "q": .init(208, 144, 16),
    "s": .init(216, 224, 236), "S": .init(128, 136, 160), "k": .init(24, 20, 36), "w": .init(255, 255, 255),
    "m": .init(232, 24, 136), "d": .init(144, 8, 104), "p": .init(255, 152, 200), "o": .init(255, 120, 0),
  ]
}

extension PlatformerTile {
  fileprivate var bitmap: PlatformerBitmap {
    switch self {
    case .sky: .sky
    case .cloudLeft: .cloudLeft
    case .cloudRight: .cloudRight
    case .coin: .coin
    case .spike: .spike
    case .hangingSpike: PlatformerBitmap.spike.upsideDown
    case .flag: .flag
    case .pole: .pole
    case .ground: .ground
    case .soil: .soil
    case .stone: .stone
    case .brick: .brick
    }
  }
}
