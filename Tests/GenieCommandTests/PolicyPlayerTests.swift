import Environments
import Foundation
import ReinforcementLearning
import TestSupport
import Testing

@testable import genie

@Suite struct PolicyPlayerTests {
  private let temporary: TemporaryFolder
  private let path: String
  private let observation = [UInt8](repeating: 90, count: 16 * 16 * 6)

  /// A policy of three actions that sees two frames.
  init() throws {
    temporary = try TemporaryFolder()
    let file = temporary.file("some.policy.safetensors")
    let configuration = ActorCriticConfiguration(
      frame: Box(height: 16, width: 16), frames: 2, actions: Discrete(3), hidden: 8)
    try PolicyFile(ActorCritic(configuration, seed: 5), environment: "x", steps: 0, seed: 5).write(to: file)
    path = file.path
  }

  private func specification(actions: Int) -> EnvironmentSpecification {
    EnvironmentSpecification(
      name: "x", observationSpace: Box(height: 16, width: 16), actionSpace: Discrete(actions))
  }

  @Test func itDrawsFromTheProbabilitiesThatItTells() throws {
    let player = try PolicyPlayer(path, map: nil, specification: specification(actions: 3))
    #expect((player.name, player.frames) == ("some", 2))
    let decisions = (0..<400).map { player.decide(observation, seed: $0) }
    #expect(decisions[7] == player.decide(observation, seed: 7))
    let chances = decisions[0].probabilities
    #expect(abs(chances.reduce(0, +) - 1) < 1e-5 && decisions[0].value != nil)
    for action in 0..<3 {
      let share = Float(decisions.count { $0.action == action }) / 400
      #expect(abs(share - chances[action]) < 0.1, "action \(action)")
    }
  }

  @Test func aDreamsPolicyPlaysTheRealGame() throws {
    let map = ActionMap(real: [1, 0, 1], samples: 3)
    let latent = try PolicyPlayer(path, map: nil, specification: specification(actions: 3))
    let player = try PolicyPlayer(path, map: map, specification: specification(actions: 2))
    let (chosen, real) = (latent.decide(observation, seed: 3), player.decide(observation, seed: 3))
    #expect(real.action == map(chosen.action))
    #expect(real.probabilities.count == 2)
    #expect(abs(real.probabilities[1] - chosen.probabilities[0] - chosen.probabilities[2]) < 1e-6)
  }

  @Test func whatDoesNotFitIsRefused() {
    #expect(throws: PolicyError.self) {
      try PolicyPlayer(path, map: nil, specification: specification(actions: 4))
    }
    #expect(throws: PolicyError.self) {
      try PolicyPlayer(path + ".missing", map: nil, specification: specification(actions: 3))
    }
  }
}
