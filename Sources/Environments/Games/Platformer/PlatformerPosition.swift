/// Where the player is: the upper left corner of its box of 2 x 2 units, a unit being 4 pixels.
public struct PlatformerPosition: Hashable, Sendable {
  public var x: Int
  public var y: Int

  public init(x: Int, y: Int) {
    self.x = x
    self.y = y
  }
}

/// What one could see a transition do to the player, in units of 4 pixels.
public struct PlatformerEffect: Hashable, Sendable {
  /// -1, 0 or 1; the world scrolls the other way.
  public var dx: Int
  /// -1 (rises), 0 or 1 (falls).
  public var dy: Int

  public init(dx: Int = 0, dy: Int = 0) {
    self.dx = dx
    self.dy = dy
  }
}
