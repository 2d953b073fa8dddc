/// Reads frames of ``Platformer``, also such as a model drew: finds the hero, then the tile that fits each place best.
///
/// A cell is half a tile, 4 x 8 pixels, because the world scrolls by 4. The two halves of a tile must belong together, all
/// tiles must be of one palette, and the hero can look in any of his poses.
public struct PlatformerJudge: GameJudge {
  /// Mean squared error of a colour channel, up to which a place shows a tile: 12 grey levels.
  static let tileTolerance = 150
  /// The same for the hero: no tile has colours like his.
  static let heroTolerance = 900

  static let frameSize = 64
  private static let columns = 16
  private let art = PlatformerArt.standard

  public init() {}

  public var tileNames: [String] { PlatformerTile.allCases.map { "\($0)" } }
  public var solidTiles: Set<UInt8> { Set(PlatformerTile.allCases.filter(\.isSolid).map(\.rawValue)) }

  public func read(_ frame: UnsafeBufferPointer<UInt8>) -> GameScene {
    precondition(
      frame.count == Self.frameSize * Self.frameSize * 3, "a frame has 64 x 64 x 3 bytes, not \(frame.count)")
    let pixels = frame.baseAddress!
    let heroes = heroes(in: pixels)
    let hero = heroes.min { abs($0.x - PlatformerArt.heroColumn) < abs($1.x - PlatformerArt.heroColumn) }
    var hidden = [Bool](repeating: false, count: Self.frameSize * Self.frameSize)
    for hero in heroes {
      art.forEachPixel(pose: hero.pose, x: hero.x, y: hero.y) { hidden[$0] = true }
    }
    let terrain = terrain(pixels, hidden: hidden)
    var flaws: [GameScene.Flaw] = []
    if heroes.isEmpty { flaws.append(.noPlayer) }
    if heroes.count > 1 { flaws.append(.severalPlayers) }
    if terrain.tiles.contains(GameScene.unreal) { flaws.append(.unrealTile) }
    return GameScene(
      tiles: terrain.tiles, columns: Self.columns,
      parts: (0..<terrain.tiles.count).map { UInt8(($0 + terrain.side) & 1) },
      player: hero.map { GameScene.Player(x: $0.x, y: $0.y, facesLeft: PlatformerArt.facesLeft($0.pose)) },
      isOver: hero.map { PlatformerArt.isLast($0.pose) } ?? false, flaws: flaws)
  }

  public func effect(from old: GameScene, to new: GameScene) -> VisibleEffect? {
    guard let before = old.player, let after = new.player else { return nil }
    let facing = after.facesLeft ? -1 : 1
    // Over flat ground a step to either side looks the same: then the hero's eyes decide.
    let dx = [0, facing, -facing].max { scrolled(old, new, by: $0) < scrolled(old, new, by: $1) }!
    return VisibleEffect(dx: dx, rises: after.y < before.y)
  }

  /// Share of the cells that are alike where the hero went `dx` units to the right. Where several are as much alike, to stand is
  /// preferred, and then the way that he faces.
  private func scrolled(_ old: GameScene, _ new: GameScene, by dx: Int) -> Double {
    var alike = 0
    for row in 0..<new.rows {
      for column in max(0, -dx)..<Self.columns - max(0, dx) {
        let (a, b) = (row * Self.columns + column + dx, row * Self.columns + column)
        if old.tiles[a] == new.tiles[b], old.parts[a] == new.parts[b] { alike += 1 }
      }
    }
    let share = Double(alike) / Double(new.rows * (Self.columns - abs(dx)))
    let preference = dx == 0 ? 0.002 : (dx < 0) == (new.player?.facesLeft ?? false) ? 0.001 : 0
    return share + preference
  }

  public func allowsEveryEffect(_ scene: GameScene) -> Bool {
    guard scene.isValid, !scene.isOver, let hero = scene.player else { return false }
    func touched(_ x: Int, _ y: Int) -> [PlatformerTile] {
      (max(0, y >> 1)...min(PlatformerLevel.rows - 1, (y + 1) >> 1)).flatMap { row in
        (x...x + 1).compactMap { PlatformerTile(rawValue: scene.tiles[row * Self.columns + $0]) }
      }
    }
    func isFree(_ x: Int, _ y: Int) -> Bool {
      y >= 0 && y < 2 * (PlatformerLevel.rows - 1)
        && touched(x, y).allSatisfy { !$0.isSolid && !$0.isDeadly && !$0.isGoal }
    }
    guard hero.x >= 1, hero.x + 2 < Self.columns else { return false }
    let stands = touched(hero.x, min(hero.y + 1, 2 * PlatformerLevel.rows - 2)).contains(where: \.isSolid)
    let heights = [hero.y - 1, stands ? hero.y : hero.y + 1]
    return heights.allSatisfy { y in (hero.x - 1...hero.x + 1).allSatisfy { isFree($0, y) } }
  }
}

extension PlatformerJudge {
  private struct Hero {
    var x: Int
    var y: Int
    var pose: Int
    var error: Int
  }

  /// Every hero in the picture, at most one at a place.
  private func heroes(in pixels: UnsafePointer<UInt8>) -> [Hero] {
    var found: [Hero] = []
    for y in -1...14 {
      for x in 0...Self.columns - 2 {
        var best: Hero?
        for pose in 0..<PlatformerArt.poseCount {
          let limit = best?.error ?? Self.heroTolerance
          guard let error = art.poseError(pixels, pose: pose, x: x, y: y, limit: limit) else { continue }
          best = Hero(x: x, y: y, pose: pose, error: error)
        }
        guard let best else { continue }
        // A hero half a tile off another is the same one, seen less well.
        if let other = found.firstIndex(where: { abs($0.x - best.x) < 2 && abs($0.y - best.y) < 2 }) {
          if best.error < found[other].error { found[other] = best }
        } else {
          found.append(best)
        }
      }
    }
    return found
  }

  /// The palette and the offset that explain the picture best, and the tile of each cell.
  private func terrain(_ pixels: UnsafePointer<UInt8>, hidden: [Bool]) -> (tiles: [UInt8], side: Int) {
    var best: (error: Int, tiles: [UInt8], side: Int) = (.max, [], 0)
    hidden.withUnsafeBufferPointer { hidden in
      for theme in 0..<PlatformerLevel.themes {
        for side in 0..<2 {
          guard let fit = fit(pixels, hidden, theme: theme, side: side, limit: best.error) else { continue }
          best = (fit.error, fit.tiles, side)
        }
      }
    }
    return (best.tiles, best.side)
  }

  /// - Returns: nil where the error is not below `limit`.
  private func fit(
    _ pixels: UnsafePointer<UInt8>, _ hidden: UnsafeBufferPointer<Bool>, theme: Int, side: Int, limit: Int
  ) -> (error: Int, tiles: [UInt8])? {
    var tiles = [UInt8](repeating: GameScene.unreal, count: PlatformerLevel.rows * Self.columns)
    var total = 0
    for row in 0..<PlatformerLevel.rows {
      // The first and the last cell of a row can be half of a tile whose rest is outside.
      var column = -side
      while column < Self.columns {
        let cells = max(0, column)..<min(Self.columns, column + 2)
        var best = (error: Int.max, tile: UInt8(0))
        for tile in PlatformerTile.allCases {
          var error = 0
          for cell in cells {
            error += art.cellError(
              pixels, hidden, theme: theme, tile: tile, side: cell - column, row: row, column: cell,
              limit: best.error)
          }
          if error < best.error { best = (error, tile.rawValue) }
        }
        total += best.error
        guard total < limit else { return nil }
        let size = PlatformerBitmap.size
        let visible = cells.reduce(0) { sum, cell in
          sum + (0..<size * 4).count { !hidden[(row * size + $0 / 4) * Self.frameSize + cell * 4 + $0 % 4] }
        }
        if best.error <= Self.tileTolerance * visible * 3 {
          for cell in cells { tiles[row * Self.columns + cell] = best.tile }
        }
        column += 2
      }
    }
    return (total, tiles)
  }
}
