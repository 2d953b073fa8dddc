import Autograd
import Environments
import GeneratedWorlds
import ReinforcementLearning
import Reporting

/// What a trained policy is put through: the dream that it learned in, and the real game.
struct Trials {
  let world: World
  let policy: ActorCriticPolicy
  let seeds: Range<UInt64>
  let workers: Workers
  let style: ProgressBar.Style

  /// Reaching the platformer's flag pays so much.
  private static let flag: Float = 10

  /// Why the policy cannot play the game; nil if it can.
  var obstacle: String? {
    let game = Platformer().specification.name
    guard let source = world.manifest.training?.source, source == game else {
      return "\(world.manifest.name) was not learned from video of \(game), the game that is built in."
    }
    guard world.manifest.actionMap != nil else {
      return
        "\(world.manifest.name) was learned from video without any labelled action, so nobody knows which "
        + "button a latent action is."
    }
    return nil
  }

  /// In the dream, on levels that no model was trained on, each in turn.
  func dream() throws -> Comparison {
    let levels = world.levels.clips
    let starts = seeds.enumerated().map { index, seed in
      Evaluation.Start(seed: seed, level: levels > 0 ? index % levels : nil)
    }
    // Only where the reward is known to mean the flag.
    let evaluation = Evaluation(
      starts: starts, success: obstacle == nil ? .lastReward(atLeast: Self.flag) : nil)
    let pool = GeneratedWorldPool(world, workers: workers)
    let bar = ProgressBar("dream", total: 2 * starts.count, unit: "episodes", style: style)
    let trained = try contender("trained", "the trained policy", policy, evaluation, pool, bar, done: 0)
    let random = try contender(
      "random", "random actions", RandomPolicy(actionCount: world.actions), evaluation, pool, bar,
      done: starts.count)
    bar.finish()
    return Comparison(
      environment: pool.specification.name, trained: trained, others: [random],
      films: try Film.record(evaluation, trained.evaluation.episodes, policy, pool))
  }

  /// In the real game, through the world's action map; without one, nil.
  ///
  /// The level of an episode is its seed. Recorded video shows levels whose numbers are drawn from 63 bits.
  func game() throws -> Comparison? {
    guard obstacle == nil, let map = world.manifest.actionMap else { return nil }
    let evaluation = Evaluation(seeds: seeds, success: .lastReward(atLeast: Self.flag))
    let pool = GamePool(Platformer())
    let actions = pool.specification.actionSpace
    let count = seeds.count
    let bar = ProgressBar("game", total: (actions.count + 4) * count, unit: "episodes", style: style)
    let mapped = MappedPolicy(policy, map: map)
    let trained = try contender("trained", "the trained policy", mapped, evaluation, pool, bar, done: 0)
    let random = try contender(
      "random", "random actions", RandomPolicy(actionCount: actions.count), evaluation, pool, bar, done: count
    )
    let latent = try contender(
      "random_latent", "random latent actions",
      MappedPolicy(RandomPolicy(actionCount: world.actions), map: map), evaluation, pool, bar, done: 2 * count
    )
    let constants = try (0..<actions.count).map { action in
      try contender(
        "constant", "always \(actions.names[action])", ConstantPolicy(action: Int32(action)), evaluation,
        pool,
        bar, done: (3 + action) * count)
    }
    let constant = constants.max { $0.evaluation.meanReturn.value < $1.evaluation.meanReturn.value }!
    var expertResults: [EpisodeResult] = []
    for seed in seeds {
      expertResults.append(Self.expertEpisode(seed: seed))
      bar.update(to: (3 + actions.count) * count + expertResults.count)
    }
    bar.finish()
    let expert = Comparison.Contender(
      key: "expert", title: "a player that reads the level",
      evaluation: try EvaluationReport(
        policy: "expert", environment: pool.specification.name, episodes: expertResults))
    return Comparison(
      environment: pool.specification.name, trained: trained, others: [random, latent, constant, expert],
      films: try Film.record(evaluation, trained.evaluation.episodes, mapped, pool))
  }

  private func contender(
    _ key: String, _ title: String, _ policy: any Policy, _ evaluation: Evaluation,
    _ pool: any EnvironmentPool,
    _ bar: ProgressBar, done: Int
  ) throws -> Comparison.Contender {
    let episodes = try evaluation.run(policy, on: pool) { bar.update(to: done + $0) }
    return Comparison.Contender(
      key: key, title: title,
      evaluation: try EvaluationReport(
        policy: key, environment: pool.specification.name, episodes: episodes))
  }

  /// The scripted expert sees the level itself, not its picture: no ``Policy``, so it plays by itself.
  private static func expertEpisode(seed: UInt64) -> EpisodeResult {
    var game = Platformer()
    game.reset(seed: seed, level: nil)
    let horizon = game.specification.horizon ?? 500
    var expert = PlatformerExpert(horizon: horizon)
    var result = EpisodeResult(seed: seed, return: 0, length: 0, terminated: false, success: false)
    while !result.terminated && result.length < horizon {
      let outcome = game.step(expert.action(in: game))
      result.return += Double(outcome.reward)
      result.length += 1
      result.terminated = outcome.terminated
      result.success = outcome.reward >= flag
    }
    return result
  }
}
