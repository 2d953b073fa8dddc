extension PlatformerJudge {
  /// A picture's tiles as a level, far from both of its ends, and the hero in it; nil where nobody can say.
  private func laidOut(_ scene: GameScene) -> (level: PlatformerLevel, hero: PlatformerPosition)? {
    guard scene.isValid, !scene.isOver, let hero = scene.player else { return nil }
    // So that halves of tiles stay halves.
    let left = 40 + Int(scene.parts[0])
    var level = PlatformerLevel(theme: 0)
    for row in 0..<scene.rows {
      for column in 0..<scene.columns {
        let tile = PlatformerTile(rawValue: scene.tiles[row * scene.columns + column])
        level[row, (left + column) >> 1] = tile ?? .sky
      }
    }
    return (level, PlatformerPosition(x: left + hero.x, y: hero.y))
  }

  /// Whether the hero is in the air, directly below something solid: who jumps there hovers, who does not falls. Nil where nobody can
  /// say.
  public func hangs(in scene: GameScene) -> Bool? {
    laidOut(scene).map { $0.level.hangs($0.hero) }
  }

  /// What the game itself would do: the picture's tiles are laid out as a level, and the hero takes one step in it.
  ///
  /// The rules look no further than the tiles around the hero, so that a picture is enough. Walls at the two ends
  /// of a level are not seen in it.
  public func outcome(of code: Int32, in scene: GameScene) -> RefereedStep? {
    guard let (level, before) = laidOut(scene), let action = PlatformerAction(rawValue: code) else {
      return nil
    }
    let after = level.position(after: action, from: before)
    var step = RefereedStep(
      reward: 0, terminated: false, effect: VisibleEffect(dx: after.x - before.x, rises: after.y < before.y))
    if let death = level.death(at: after) {
      (step.terminated, step.cause) = (true, death.rawValue)
      return step
    }
    if let touched = level.tilesTouched(at: after) {
      for row in touched.rows {
        for column in touched.columns where level[row, column] == .coin { step.reward += 1 }
      }
    }
    if level.isGoal(after) {
      step.reward += 10
      (step.terminated, step.cause) = (true, "goal")
    }
    return step
  }
}
