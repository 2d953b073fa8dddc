/// Reads the frames of one game: says what they show, and whether the game could have drawn them.
///
/// A world model knows nothing of the game that its video shows, and must not. What measures a dreamt world does need to
/// know: whether the player is still there, what an action was seen to do. A game whose frames can be read offers a judge.
public protocol GameJudge: Sendable {
  /// What can stand in a cell of ``GameScene/tiles``, by code.
  var tileNames: [String] { get }
  /// Codes of the tiles that nobody passes.
  var solidTiles: Set<UInt8> { get }

  /// - Parameter frame: `[height, width, 3]` of the game's size.
  func read(_ frame: UnsafeBufferPointer<UInt8>) -> GameScene

  /// What was seen to happen between two successive frames; nil where either shows no player.
  func effect(from old: GameScene, to new: GameScene) -> VisibleEffect?

  /// Whether every effect can be shown from here: nothing in the way, and no end at the next step.
  func allowsEveryEffect(_ scene: GameScene) -> Bool

  /// What the game would do where a picture shows this scene; nil where nobody can say.
  /// - Parameter action: one of the game's own.
  func outcome(of action: Int32, in scene: GameScene) -> RefereedStep?
}

extension GameJudge {
  public func outcome(of action: Int32, in scene: GameScene) -> RefereedStep? { nil }

  /// - Parameter frame: `[height, width, 3]` of the game's size.
  public func read(_ frame: some Collection<UInt8>) -> GameScene {
    frame.withContiguousStorageIfAvailable { read($0) } ?? Array(frame).withUnsafeBufferPointer { read($0) }
  }
}

/// What a frame shows.
public struct GameScene: Sendable, Equatable {
  /// Why a frame is none of the game's.
  public enum Flaw: String, Sendable, CaseIterable {
    case noPlayer = "no player"
    case severalPlayers = "several players"
    case unrealTile = "unreal tile"
  }

  public struct Player: Sendable, Equatable {
    /// Of the upper left corner, in the game's unit of motion.
    public var x: Int
    public var y: Int
    public var facesLeft: Bool

    public init(x: Int, y: Int, facesLeft: Bool) {
      self.x = x
      self.y = y
      self.facesLeft = facesLeft
    }
  }

  /// A cell of which no tile is known.
  public static let unreal: UInt8 = 255

  /// Codes of tiles, `[rows, columns]`; ``unreal`` where there is nothing that the game knows.
  public var tiles: [UInt8]
  public var columns: Int
  /// What tells two places of one tile apart, where a cell is only a part of a tile; as long as `tiles`.
  public var parts: [UInt8]
  public var player: Player?
  /// Whether the player is seen to have died or won.
  public var isOver: Bool
  public var flaws: [Flaw]

  public init(
    tiles: [UInt8], columns: Int, parts: [UInt8], player: Player?, isOver: Bool, flaws: [Flaw]
  ) {
    precondition(
      columns > 0 && tiles.count % columns == 0 && parts.count == tiles.count,
      "\(tiles.count) tiles in \(columns) columns, \(parts.count) parts")
    self.tiles = tiles
    self.columns = columns
    self.parts = parts
    self.player = player
    self.isOver = isOver
    self.flaws = flaws
  }

  public var rows: Int { tiles.count / columns }
  /// Whether the frame could be one of the game's: exactly one player, and every tile a real one.
  public var isValid: Bool { flaws.isEmpty }
}

/// What a game's own rules say about one step.
public struct RefereedStep: Sendable, Hashable {
  public var reward: Float
  public var terminated: Bool
  public var effect: VisibleEffect
  /// What ends the episode, in a word or two; nil where it goes on.
  public var cause: String?

  public init(reward: Float, terminated: Bool, effect: VisibleEffect, cause: String? = nil) {
    self.reward = reward
    self.terminated = terminated
    self.effect = effect
    self.cause = cause
  }
}

/// What a step was seen to do: six cases, which is all that most actions of a side-scroller come to.
public struct VisibleEffect: Sendable, Hashable, Codable {
  /// -1 (left), 0 or 1.
  public var dx: Int
  public var rises: Bool

  public init(dx: Int, rises: Bool) {
    self.dx = dx
    self.rises = rises
  }

  /// `left`, `rise-right`, `still`, ...
  public var name: String {
    let direction = dx < 0 ? "left" : dx > 0 ? "right" : ""
    if rises { return direction.isEmpty ? "rise" : "rise-" + direction }
    return direction.isEmpty ? "still" : direction
  }
}
