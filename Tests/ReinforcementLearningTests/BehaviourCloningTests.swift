import Autograd
import Environments
import Testing

@testable import ReinforcementLearning

@Suite struct BehaviourCloningTests {
  @Test func itDoesAsItWasShown() throws {
    // Dark frames were answered with 2, light ones with 0.
    let frame = Box(height: 8, width: 8, channels: 1)
    let lights: [UInt8] = (0..<40).map { $0 % 2 == 0 ? 10 : 240 }
    let observations = lights.flatMap { [UInt8](repeating: $0, count: 64) }
    let workers = Workers(count: 2)
    let network = try BehaviourCloning(steps: 250, batch: 16, learningRate: 3e-3).train(
      ActorCriticConfiguration(frame: frame, actions: Discrete(3), hidden: 16), observations: observations,
      actions: lights.map { $0 < 128 ? 2 : 0 }, workers: workers)
    let policy = ActorCriticPolicy(network, choice: .greedy, workers: workers)
    let shown = [UInt8](repeating: 10, count: 64) + [UInt8](repeating: 240, count: 64)
    #expect(policy.actions(for: shown, keys: [RandomKey(seed: 1), RandomKey(seed: 2)]) == [2, 0])
  }
}
