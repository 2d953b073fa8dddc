import Autograd
import Environments
import Foundation
import Testing

@testable import ReinforcementLearning

/// What an expert's network pays for an action: how much likelier it is than a guess.
@Suite struct ExpertLikelihoodTests {
  private let workers = Workers(count: 1)

  private func expert(frames: Int = 1) throws -> ActorCritic {
    let corridor = Corridor().specification
    return try ActorCritic(
      ActorCriticConfiguration(
        frame: corridor.observationSpace, frames: frames, actions: corridor.actionSpace, stages: [],
        hidden: 8),
      seed: 3)
  }

  private func corridor() -> GamePool<Corridor> { GamePool(Corridor()) }

  @Test(arguments: [1, 3]) func anActionPaysItsLikelihood(frames: Int) throws {
    let expert = try expert(frames: frames)
    let stacked: any EnvironmentPool = frames == 1 ? corridor() : FrameStack(corridor(), frames: frames)
    var pool = try ExpertLikelihood(stacked, expert: expert, workers: workers)
    let slots = try (0..<2).map { _ in try pool.open(OpenOptions()) }
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(seed: 1), ResetOptions(seed: 2)], into: &batch)
    for actions in [[1, 0], [1, 1], [0, 1]] as [[Int32]] {
      let (logits, _) = BatchInference(expert, workers: workers)(Array(batch.observations), count: 2)
      try pool.step(slots, actions, into: &batch)
      for row in 0..<2 {
        let own = logits[2 * row..<2 * row + 2]
        let likelihood = logits[2 * row + Int(actions[row])] - log(own.reduce(0) { $0 + exp($1) })
        #expect(abs(batch.rewards[row] - max(-5, likelihood + log(2))) < 1e-4)
      }
    }
    // Of two actions, one is likelier than a guess, and the other is not.
    #expect(batch.rewards[0] != batch.rewards[1])
  }

  @Test func anExpertOfOtherFramesIsRefused() throws {
    let corridor = Corridor().specification.observationSpace
    #expect(
      throws: PolicyError.observationMismatch(
        policy: Box(height: 1, width: 6, channels: 2), environment: corridor)
    ) { try ExpertLikelihood(self.corridor(), expert: self.expert(frames: 2), workers: self.workers) }
  }
}
