/// What a tile of a level is. The raw values are part of snapshots and golden frames.
public enum PlatformerTile: UInt8, CaseIterable, Sendable {
  case sky, cloudLeft, cloudRight, coin, spike, hangingSpike, flag, pole
  case ground, soil, stone, brick

  public var isSolid: Bool { rawValue >= PlatformerTile.ground.rawValue }
  public var isDeadly: Bool { self == .spike || self == .hangingSpike }
  public var isGoal: Bool { self == .flag || self == .pole }
}
