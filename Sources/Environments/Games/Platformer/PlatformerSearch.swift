/// Every position that can be reached alive, by breadth first: the shortest way to each.
///
/// The terrain never changes in an episode (only coins go), so that a position is a whole state.
struct PlatformerSearch {
  private static let rows = 2 * PlatformerLevel.rows - 2
  private static let unreached: Int16 = -1

  private let origin: PlatformerPosition
  /// In the order of their distance.
  private var reached: [PlatformerPosition] = []
  /// `[rows, width]`: steps from the origin, and the action that led there.
  private var distances: [Int16]
  private var actions: [PlatformerAction]
  private var parents: [PlatformerPosition]

  /// Searches the whole level.
  init(in level: PlatformerLevel, from origin: PlatformerPosition) {
    let count = Self.rows * PlatformerLevel.width
    self.origin = origin
    distances = Array(repeating: Self.unreached, count: count)
    actions = Array(repeating: .noop, count: count)
    parents = Array(repeating: origin, count: count)
    guard !level.isDeadly(origin) else { return }
    reached.reserveCapacity(count)
    reached.append(origin)
    distances[Self.index(origin)] = 0
    var next = 0
    while next < reached.count {
      let position = reached[next]
      next += 1
      // The episode ends at the goal: nothing lies behind it.
      if level.isGoal(position) { continue }
      for action in PlatformerAction.allCases {
        let moved = level.position(after: action, from: position)
        guard !level.isDeadly(moved), distances[Self.index(moved)] == Self.unreached else { continue }
        distances[Self.index(moved)] = distances[Self.index(position)] + 1
        actions[Self.index(moved)] = action
        parents[Self.index(moved)] = position
        reached.append(moved)
      }
    }
  }

  private static func index(_ position: PlatformerPosition) -> Int {
    position.y * PlatformerLevel.width + position.x
  }

  /// The nearest position, in steps, for which `matches` holds; nil if none can be reached.
  func nearest(where matches: (PlatformerPosition) -> Bool) -> PlatformerPosition? {
    reached.first(where: matches)
  }

  /// Steps to a position that was reached.
  func distance(to position: PlatformerPosition) -> Int {
    Int(distances[Self.index(position)])
  }

  /// The actions that lead to a position that was reached, the last one first.
  func reversedPath(to position: PlatformerPosition) -> [PlatformerAction] {
    var path: [PlatformerAction] = []
    var position = position
    while position != origin {
      path.append(actions[Self.index(position)])
      position = parents[Self.index(position)]
    }
    return path
  }
}
