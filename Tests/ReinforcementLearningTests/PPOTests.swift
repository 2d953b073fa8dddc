import Autograd
import Environments
import Foundation
import Testing

@testable import ReinforcementLearning

@Suite struct PPOTests {
  var corridor: PPOConfiguration {
    PPOConfiguration(
      totalSteps: 8 * 1024, environments: 8, rolloutSteps: 32, epochs: 4, minibatches: 4, learningRate: 5e-3,
      seed: 3)
  }

  private func network(_ pool: any EnvironmentPool) -> ActorCriticConfiguration {
    ActorCriticConfiguration(frame: pool.observationSpace, actions: pool.actionSpace, hidden: 32)
  }

  @Test func findsTheEndOfACorridor() throws {
    let pool = GamePool(Corridor())
    let ppo = try PPO(pool, corridor, network: network(pool), workers: Workers(count: 2))
    let first = try ppo.iterate()
    while !ppo.isFinished { _ = try ppo.iterate() }
    let policy = ActorCriticPolicy(ppo.network, choice: .sampled, workers: Workers(count: 1))
    let results = try Evaluation(seeds: 0..<50).run(policy, on: GamePool(Corridor()))
    let length = Double(results.reduce(0) { $0 + $1.length }) / 50
    #expect(results.allSatisfy { $0.return == 1 })
    // Five steps are the shortest way; at first it wandered.
    #expect(length < 5.5, "\(length) steps")
    #expect(first.episodicLength > 9, "\(first.episodicLength) steps at first")
  }

  /// A salary of 1 for ever, discounted by 0.9, is worth 10 wherever a horizon cuts it. A learner that
  /// takes the horizon for a death would find at most 1 + ... + 0.9^3 = 3.5, and one that goes on with the
  /// start of the next episode, worth 30, far more.
  @Test(arguments: [false, true])
  func aHorizonIsNotADeath(dies: Bool) throws {
    let pool = GamePool(Salary(dies: dies))
    let configuration = PPOConfiguration(
      totalSteps: 60 * 128, environments: 4, rolloutSteps: 32, epochs: 4, minibatches: 2, learningRate: 1e-2,
      discount: 0.9, gradientClip: 10, scalesRewards: false)
    let ppo = try PPO(pool, configuration, network: network(pool), workers: Workers(count: 1))
    while !ppo.isFinished { _ = try ppo.iterate() }
    let (_, values) = BatchInference(ppo.network, workers: Workers(count: 1))([255], count: 1)
    if dies {
      #expect(values[0] < 3.5)
    } else {
      #expect(abs(values[0] - 10) < 0.5, "\(values[0])")
    }
  }

  @Test func theSameSeedLearnsTheSame() throws {
    func weights(seed: UInt64) throws -> [[Float]] {
      let pool = GamePool(Corridor())
      var configuration = corridor
      configuration.seed = seed
      let ppo = try PPO(pool, configuration, network: network(pool), workers: Workers(count: 2))
      for _ in 0..<3 { _ = try ppo.iterate() }
      return ppo.network.parameters.all.map(\.value.values)
    }
    let first = try weights(seed: 1)
    #expect(try weights(seed: 1) == first)
    #expect(try weights(seed: 2) != first)
  }

  @Test func aCheckpointGoesOn() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: url) }
    let pool = GamePool(Salary(dies: false))
    // Episodes of 4 steps end with every rollout of 8, so that a training resumed with new episodes is the
    // same.
    var configuration = corridor
    configuration.rolloutSteps = 8
    func make(_ configuration: PPOConfiguration) throws -> PPO {
      try PPO(pool, configuration, network: network(pool), horizon: 4, workers: Workers(count: 1))
    }
    let whole = try make(configuration)
    for _ in 0..<3 { _ = try whole.iterate() }
    try whole.save(to: url)
    for _ in 0..<3 { _ = try whole.iterate() }

    let resumed = try make(configuration)
    try resumed.resume(from: url)
    #expect(resumed.steps == 3 * 64 && resumed.iterations == 3)
    for _ in 0..<3 { _ = try resumed.iterate() }
    #expect(resumed.steps == whole.steps)
    #expect(
      resumed.network.parameters.all.map(\.value.values) == whole.network.parameters.all.map(\.value.values))

    configuration.clip = 0.1
    let other = try make(configuration)
    #expect(throws: PPOError.otherTraining(file: url.lastPathComponent, what: "settings")) {
      try other.resume(from: url)
    }
  }

  @Test func settingsThatCannotBeAreErrors() {
    var configuration = PPOConfiguration()
    configuration.minibatches = 0
    #expect(throws: PPOError.self) { try PPO(GamePool(Corridor()), configuration) }
    configuration = PPOConfiguration(environments: 20_000)
    #expect(throws: PPOError.environment(.tooManySlots(limit: 16_384))) {
      try PPO(GamePool(Corridor()), configuration)
    }
  }
}
