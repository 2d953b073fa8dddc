/// A policy that reads the level: it fetches one coin after another, the nearest first, as long as the goal
/// stays in reach, and then goes there.
public struct PlatformerExpert: Sendable {
  /// Steps in which it has to be done.
  private let horizon: Int
  private var steps = 0
  /// The rest of the way to its target, the next action last.
  private var path: [PlatformerAction] = []

  public init(horizon: Int = 500) {
    self.horizon = horizon
  }

  /// The action for the next step of an episode that this policy has followed from its start.
  public mutating func action(in game: Platformer) -> Int32 {
    if path.isEmpty { path = plan(in: game) }
    steps += 1
    return (path.popLast() ?? .noop).rawValue
  }

  private func plan(in game: Platformer) -> [PlatformerAction] {
    let level = game.level
    let search = PlatformerSearch(in: level, from: game.position)
    let goal = search.nearest(where: level.isGoal)
    if let coin = search.nearest(where: level.hasCoin) {
      // From the coin, the goal is hardly further than by way of here.
      let longest = steps + 2 * search.distance(to: coin) + (goal.map(search.distance) ?? 0)
      if goal == nil || longest < horizon { return search.reversedPath(to: coin) }
    }
    return goal.map(search.reversedPath) ?? []
  }
}
