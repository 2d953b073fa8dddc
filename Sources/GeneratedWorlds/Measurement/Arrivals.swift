import Environments
import Reporting

/// What comes into sight at the border that the player walks towards: there a dream invents, and what it invents is what there is
/// to earn and to die of.
public struct Arrivals: Sendable {
  /// Columns of cells that came into sight on the right.
  public private(set) var columns = 0
  /// Those of them that nobody can pass, solid from the top to the bottom.
  public private(set) var closed = 0
  /// Cells of each tile in them, by code.
  private var cells: [Int]
  private let names: [String]
  private let solid: Set<UInt8>

  public init(_ judge: any GameJudge) {
    names = judge.tileNames
    solid = judge.solidTiles
    cells = [Int](repeating: 0, count: names.count)
  }

  /// Adds a frame after a step to the right: its last column.
  mutating func add(_ scene: GameScene) {
    let column = (1...scene.rows).map { scene.tiles[$0 * scene.columns - 1] }
    columns += 1
    if column.allSatisfy(solid.contains) { closed += 1 }
    for tile in column where cells.indices.contains(Int(tile)) { cells[Int(tile)] += 1 }
  }

  /// Cells of each tile in a hundred columns.
  public var perHundred: [(name: String, cells: Double)] {
    zip(names, cells).map { ($0, 100 * Double($1) / Double(max(1, columns))) }
  }

  public var report: JSONValue {
    [
      "columns": .integer(columns), "closed": .integer(closed),
      "per_hundred": .object(Dictionary(perHundred.map { ($0.name, .number($0.cells)) }) { $1 }),
    ]
  }
}
