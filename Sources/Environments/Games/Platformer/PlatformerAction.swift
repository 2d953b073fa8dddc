/// The six actions, in the order of their codes.
public enum PlatformerAction: Int32, CaseIterable, Sendable {
  case noop, left, right, jump, jumpLeft, jumpRight

  public var jumps: Bool { rawValue >= PlatformerAction.jump.rawValue }
  /// -1, 0 or 1.
  public var direction: Int {
    switch self {
    case .noop, .jump: 0
    case .left, .jumpLeft: -1
    case .right, .jumpRight: 1
    }
  }
  public var name: String {
    switch self {
    case .jumpLeft: "jump-left"
    case .jumpRight: "jump-right"
    default: "\(self)"
    }
  }
}
