/// Random actions, each held for 1 to 6 steps, more often to the right than to the left, that mostly shrink
/// from a death they are about to die: for recording video that shows all of a level.
public struct StickyRandomPolicy: Sendable {
  /// Of 100, by the code of the action.
  private static let weights = [9, 13, 30, 9, 12, 27]

  private var random: SplitMix64
  private var held = PlatformerAction.noop
  private var remaining = 0
  private let caution: Int

  /// - Parameter caution: of a hundred steps that would be deadly, how many it sees coming.
  public init(seed: UInt64, caution: Int = 96) {
    random = SplitMix64(seed: seed)
    self.caution = caution
  }

  public mutating func action(in game: Platformer) -> Int32 {
    if remaining == 0 { choose() }
    remaining -= 1
    // Now and then it fails to look: deaths belong into the video too.
    if isDeadly(held, in: game), random.chance(caution, in: 100) { evade(in: game) }
    return held.rawValue
  }

  private mutating func choose() {
    held = PlatformerAction(rawValue: Int32(random.next(weights: Self.weights)))!
    remaining = random.next(in: 1...6)
  }

  /// Draws again until an action can be survived, a few times.
  private mutating func evade(in game: Platformer) {
    for _ in 0..<12 {
      choose()
      remaining -= 1
      if !isDeadly(held, in: game) { return }
    }
  }

  /// Whether the action kills at once, or leads where every action does.
  private func isDeadly(_ action: PlatformerAction, in game: Platformer) -> Bool {
    let level = game.level
    let moved = level.position(after: action, from: game.position)
    if level.isDeadly(moved) { return true }
    return PlatformerAction.allCases.allSatisfy { level.isDeadly(level.position(after: $0, from: moved)) }
  }
}
