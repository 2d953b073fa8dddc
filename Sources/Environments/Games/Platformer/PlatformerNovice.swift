/// Somebody who knows the way and not yet the buttons: the ``PlatformerExpert``, but every now and then a button is held
/// for some steps, whatever comes. He minds the top of the screen, and neither walls nor spikes nor pits.
///
/// For video that shows what careful players avoid: how one dies, deep in the level, too, and how walls hold.
public struct PlatformerNovice: Sendable {
  /// Of 100, by the code of the action: mostly onwards.
  private static let weights = [8, 8, 40, 6, 6, 32]
  /// A slip begins in one of so many steps.
  private static let stepsPerSlip = 10

  private let horizon: Int
  private var steps = 0
  private var expert: PlatformerExpert
  private var random: SplitMix64
  private var held = PlatformerAction.noop
  private var remaining = 0

  /// - Parameter horizon: steps in which he means to be done.
  public init(seed: UInt64, horizon: Int = 500) {
    self.horizon = horizon
    expert = PlatformerExpert(horizon: horizon)
    random = SplitMix64(seed: seed)
  }

  /// The action for the next step of an episode that this policy has followed from its start.
  public mutating func action(in game: Platformer) -> Int32 {
    steps += 1
    if remaining == 0 {
      guard random.chance(1, in: Self.stepsPerSlip) else { return expert.action(in: game) }
      held = PlatformerAction(rawValue: Int32(random.next(weights: Self.weights)))!
      remaining = random.next(in: 2...8)
    }
    remaining -= 1
    // Whoever slipped is not where he meant to be.
    if remaining == 0 { expert = PlatformerExpert(horizon: horizon - steps) }
    return (game.position.y == 0 && held.jumps ? .noop : held).rawValue
  }
}
