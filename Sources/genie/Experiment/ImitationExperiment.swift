import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

/// The stages of `genie experiment imitation`.
struct ImitationExperiment {
  let ground: Ground
  let folder: ExperimentFolder
  let episodes: Int
  let steps: Int
  let seeds: Int
  let samples: [Int]
  let levels: Int
  let choice: ActorCriticPolicy.Choice

  func run() throws -> ImitationResult {
    let video = try folder.video("expert", policy: .expert, episodes: episodes, seed: 4242)
    let cloning = Cloning(ground: ground, folder: folder)
    let demonstration = try cloning.demonstrations(video)
    let suite = try ground.suite(levels: levels)
    let actions = ground.specification.actionSpace.count
    func played(_ name: String, _ policy: @escaping () throws -> any Policy) throws -> EvaluationReport {
      try folder.evaluated("\(name)-\(choice.rawValue)", suite.evaluation, on: ground.game(), policy: policy)
    }
    var result = ImitationResult(
      world: ground.world, suite: suite, transitions: demonstration.pressed.count, samples: samples)
    let best = map(demonstration, count: samples.last ?? 1, seed: 1)
    let pairs = zip(demonstration.latent, demonstration.pressed)
    result.agreement = Double(pairs.count { best($0) == $1 }) / Double(max(1, demonstration.pressed.count))
    result.random = try played("random") { RandomPolicy(actionCount: actions) }
    for seed in 1...UInt64(seeds) {
      let oracle = try cloning.cloned(
        "oracle-\(seed)", demonstration.observations, demonstration.pressed, count: actions, steps: steps,
        seed: seed)
      result.oracle.append(
        try played("oracle-\(seed)") {
          ActorCriticPolicy(oracle.network, choice: choice, workers: folder.workers)
        })
      let latent = try cloning.cloned(
        "latent-\(seed)", demonstration.observations, demonstration.latent, count: ground.world.actions,
        steps: steps, seed: seed)
      let policy = ActorCriticPolicy(latent.network, choice: choice, workers: folder.workers)
      for count in samples {
        // Other labelled transitions for each seed.
        let map = map(demonstration, count: count, seed: seed)
        result.imitated[count, default: []].append(
          try played("latent-\(seed)-\(count)") { MappedPolicy(policy, map: map) })
      }
    }
    return result
  }

  private func map(_ demonstration: Demonstrations, count: Int, seed: UInt64) -> ActionMap {
    let key = RandomKey(seed: seed).folded(in: "labelled")
    let rows = (0..<count).map { key.integer(UInt64($0), below: demonstration.pressed.count) }
    return ActionMap(
      pairs: rows.map { (latent: demonstration.latent[$0], real: demonstration.pressed[$0]) },
      latentCount: ground.world.actions, realCount: ground.specification.actionSpace.count, limit: count)
  }
}
