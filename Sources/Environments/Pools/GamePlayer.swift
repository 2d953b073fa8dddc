/// What a slot of a ``GamePool`` holds: a game, and where its episode is.
struct GamePlayer<G: Game>: Sendable {
  enum Phase: UInt8 {
    case fresh, playing, ended
  }

  var game: G
  var seeds = SeedSequence()
  var phase = Phase.fresh
  /// Steps since the last reset.
  var steps = 0
  let horizon: Int?
  let auxiliaries: [String]

  init(game: G, horizon: Int?, auxiliaries: [String]) {
    self.game = game
    self.horizon = horizon
    self.auxiliaries = auxiliaries
  }

  mutating func reset(_ options: ResetOptions) throws(EnvironmentError) {
    guard options.prompt == nil else {
      throw .invalidPrompt(reason: "\(game.specification.name) starts from levels, not from frames")
    }
    var upcoming = seeds
    try game.reset(seed: upcoming.take(options.seed), level: options.level)
    seeds = upcoming
    phase = .playing
    steps = 0
  }

  mutating func step(_ action: Int32, of space: Discrete) throws(EnvironmentError) -> GameOutcome {
    guard phase == .playing else { throw .needsReset }
    guard space.contains(action) else { throw .invalidAction(action, count: space.count) }
    let outcome = game.step(action)
    steps += 1
    if outcome.terminated || isCut { phase = .ended }
    return outcome
  }

  /// Whether the horizon is reached.
  private var isCut: Bool { horizon.map { steps >= $0 } ?? false }

  func write(_ outcome: GameOutcome, into batch: inout StepBatch, row: Int) {
    batch.rewards[row] = outcome.reward
    batch.terminated[row] = outcome.terminated
    batch.truncated[row] = !outcome.terminated && isCut
    batch.withObservation(row) { game.draw(into: $0) }
    for name in auxiliaries { batch.setAuxiliary(name, row: row, game.auxiliary(name)) }
  }
}
