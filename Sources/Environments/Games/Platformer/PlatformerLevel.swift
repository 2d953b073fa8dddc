/// A level: tiles of 8 pixels, and what they let the player do.
///
/// The motion has no hidden state. A step with a jump rises by one unit anywhere, also in the air; one without
/// falls by one unit unless something solid is below; then the direction moves the player by one unit unless
/// something solid is in the way. All of it follows from what the frame shows.
public struct PlatformerLevel: Hashable, Sendable {
  public static let rows = 8
  public static let columns = 72
  /// Palettes that a level can have.
  public static let themes = 3
  /// Units that the player's `x` can have.
  static let width = 2 * columns - 1

  public internal(set) var theme: Int
  /// `[rows, columns]`, row-major, the top row first.
  public internal(set) var tiles: [PlatformerTile]

  init(theme: Int) {
    self.theme = theme
    tiles = Array(repeating: .sky, count: Self.rows * Self.columns)
  }

  public internal(set) subscript(row: Int, column: Int) -> PlatformerTile {
    get { tiles[row * Self.columns + column] }
    set { tiles[row * Self.columns + column] = newValue }
  }

  /// Rows and columns of the tiles, inside the level, that the player's box overlaps.
  func tilesTouched(at position: PlatformerPosition) -> (rows: ClosedRange<Int>, columns: ClosedRange<Int>)? {
    let top = max(position.y >> 1, 0)
    let bottom = min((position.y + 1) >> 1, Self.rows - 1)
    guard top <= bottom else { return nil }
    return (top...bottom, (position.x >> 1)...((position.x + 1) >> 1))
  }

  private func touches(_ position: PlatformerPosition, where matches: (PlatformerTile) -> Bool) -> Bool {
    guard let touched = tilesTouched(at: position) else { return false }
    for row in touched.rows {
      for column in touched.columns where matches(self[row, column]) { return true }
    }
    return false
  }

  /// Whether something solid is there: a tile, or the walls at both ends. Above and below there is nothing.
  public func isBlocked(_ position: PlatformerPosition) -> Bool {
    guard position.x >= 0, position.x < Self.width else { return true }
    return touches(position) { $0.isSolid }
  }

  /// Whether the player dies there: above the screen, at the bottom of a pit, or on a spike.
  public func isDeadly(_ position: PlatformerPosition) -> Bool { death(at: position) != nil }

  /// What the player dies of.
  package enum Death: String {
    case top, pit, spikes
    case hangingSpikes = "hanging spikes"
  }

  /// What the player dies of there; nil where he lives.
  package func death(at position: PlatformerPosition) -> Death? {
    if position.y < 0 { return .top }
    if position.y >= 2 * (Self.rows - 1) { return .pit }
    guard touches(position, where: \.isDeadly) else { return nil }
    return touches(position) { $0 == .hangingSpike } ? .hangingSpikes : .spikes
  }

  public func isGoal(_ position: PlatformerPosition) -> Bool { touches(position) { $0.isGoal } }

  public func hasCoin(_ position: PlatformerPosition) -> Bool { touches(position) { $0 == .coin } }

  /// Whether something solid is directly below.
  public func isStanding(_ position: PlatformerPosition) -> Bool {
    isBlocked(PlatformerPosition(x: position.x, y: position.y + 1))
  }

  /// Whether something solid is directly above, and nothing directly below.
  public func hangs(_ position: PlatformerPosition) -> Bool {
    isBlocked(PlatformerPosition(x: position.x, y: position.y - 1)) && !isStanding(position)
  }

  /// Where an action leads: first up or down, then sideways.
  public func position(after action: PlatformerAction, from position: PlatformerPosition)
    -> PlatformerPosition
  {
    var moved = position
    moved.y += action.jumps ? -1 : 1
    if isBlocked(moved) { moved.y = position.y }
    let sideways = PlatformerPosition(x: moved.x + action.direction, y: moved.y)
    return isBlocked(sideways) ? moved : sideways
  }
}
