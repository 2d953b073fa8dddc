import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting

/// The stages of `genie experiment transfer`.
struct TransferExperiment {
  let ground: Ground
  let folder: ExperimentFolder
  let starts: DreamStarts
  let suite: LevelSuite
  let steps: Int
  let seeds: Int
  /// Episodes in the dream.
  let dreams: Int

  func run(_ rules: [DreamRules]) throws -> TransferResult {
    let actions = ground.specification.actionSpace
    func played(_ name: String, _ policy: @escaping () throws -> any Policy) throws -> EvaluationReport {
      try folder.evaluated(name, suite.evaluation, on: ground.game(), policy: policy)
    }
    var result = TransferResult(world: ground.world, suite: suite, steps: steps, seeds: seeds)
    result.random = try played("random") { RandomPolicy(actionCount: actions.count) }
    result.randomLatent = try played("random-latent") {
      MappedPolicy(RandomPolicy(actionCount: ground.world.actions), map: ground.map)
    }
    let constants = try (0..<actions.count).map { action in
      (
        name: actions.names.indices.contains(action) ? actions.names[action] : "\(action)",
        report: try played("constant-\(action)") { ConstantPolicy(action: Int32(action)) }
      )
    }
    result.constant = constants.max { $0.report.meanReturn.value < $1.report.meanReturn.value }
    // The dream's rule may help in the game, too, or harm: its policies are held against what is better.
    var real = [TransferResult.RealTraining(name: "real", title: "real game")]
    if let rule = rules.first, rule.horizon != nil || rule.repeats != nil || rule.cutsGoals == true {
      real.append(
        .init(name: "real-\(rule.name)", title: "real game, cut and over as by \(rule.name)", rule: rule))
    }
    for training in real {
      var training = training
      for seed in 1...UInt64(seeds) {
        let name = "\(training.name)-\(seed)"
        let file = try train(name, seed: seed, horizon: training.rule?.horizon) {
          let game = try ground.game()
          return training.rule?.ended(game) ?? game
        }
        training.game.append(
          try played(name) {
            ActorCriticPolicy(file.network, choice: .sampled, workers: folder.workers)
          })
      }
      result.real.append(training)
    }
    for rule in rules { result.outcomes.append(try outcome(of: rule)) }
    if let main = result.outcomes.first {
      let file = try PolicyFile(contentsOf: policyURL("\(main.rule.name)-1"))
      let policy = inGame(
        main.rule, ActorCriticPolicy(file.network, choice: .sampled, workers: folder.workers))
      result.films = try Film.record(suite.evaluation, main.game[0].episodes, policy, ground.game())
    }
    return result
  }

  private func outcome(of rule: DreamRules) throws -> TransferResult.Outcome {
    var outcome = TransferResult.Outcome(rule: rule)
    for seed in 1...UInt64(seeds) {
      let name = "\(rule.name)-\(seed)"
      let file = try train(name, seed: seed, horizon: rule.horizon) {
        try rule.pool(ground.world, starts, workers: folder.workers)
      }
      let policy = ActorCriticPolicy(file.network, choice: .sampled, workers: folder.workers)
      outcome.game.append(
        try folder.evaluated(name, suite.evaluation, on: ground.game()) {
          inGame(rule, policy)
        })
      outcome.policies.append((name, Examination.hash(policyURL(name).path) ?? ""))
      outcome.curves.append(
        (try? EventFile.read(folder.url.appending(path: name))["charts/episodic_return"]) ?? [])
      // What it believes: the dream by the rules of its training, from frames that it may not have started from.
      let believed = Evaluation(
        starts: (0..<dreams).map { Evaluation.Start(seed: 1_000_000 + UInt64($0)) }, horizon: rule.horizon)
      outcome.dream.append(
        try folder.evaluated(
          "\(name)-believed", believed,
          on: try rule.pool(ground.world, starts, workers: folder.workers)
        ) { policy })
      if seed == 1 { outcome.audit = try audit(rule, policy, name: name) }
    }
    return outcome
  }

  /// A dream's policy in the game.
  private func inGame(_ rule: DreamRules, _ policy: ActorCriticPolicy) -> any Policy {
    rule.buttons == true ? policy : MappedPolicy(policy, map: ground.map)
  }

  private func policyURL(_ name: String) -> URL {
    folder.url.appending(path: "\(name)/agent" + PolicyFile.suffix)
  }

  private func train(
    _ name: String, seed: UInt64, horizon: Int?, pool: () throws -> any EnvironmentPool
  ) throws -> PolicyFile {
    try Training(
      folder: folder.url.appending(path: name),
      configuration: PPOConfiguration(totalSteps: steps, seed: seed), style: folder.style
    ).run(title: name, horizon: horizon, workers: folder.workers, pool: pool)
  }

  /// Holds the dream against the game while the policy plays it.
  private func audit(_ rule: DreamRules, _ policy: ActorCriticPolicy, name: String) throws -> DreamAudit? {
    guard let judge = ground.judge else { return nil }
    var pool: any EnvironmentPool = GeneratedWorldPool(
      rule.started(ground.world, starts), workers: folder.workers,
      sampling: rule.sampling(of: ground.world))
    let latent: any Policy =
      try rule.buttons == true ? MappedPolicy(policy, map: ground.world.buttons) : policy
    let length = rule.horizon ?? ground.world.manifest.horizon
    let bar = ProgressBar("\(name) audit", total: length, unit: "steps", style: folder.style)
    defer { bar.finish() }
    let key = RandomKey(seed: 5)
    return try DreamAudit(
      &pool, starts: (0..<32).map { ResetOptions(seed: 2_000_000 + $0) }, steps: length, judge: judge,
      map: ground.map,
      choose: { batch, step in
        latent.actions(
          for: batch.observations,
          keys: (0..<batch.count).map { key.folded(in: UInt64(step)).folded(in: UInt64($0)) })
      }, progress: { bar.update(to: $0) })
  }
}
