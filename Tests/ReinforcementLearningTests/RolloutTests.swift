import Environments
import Testing

@testable import ReinforcementLearning

@Suite struct RolloutTests {
  /// Two environments, three steps; the first is cut after step 1, the second dies there.
  @Test func advantagesByHand() {
    let rollout = Rollout(steps: 3, environments: 2, space: Box(height: 1, width: 1, channels: 1))
    rollout.values = [1, 1, 2, 2, 3, 3]
    rollout.rewards = [1, 1, 1, 1, 1, 1]
    rollout.ended = [false, false, true, true, false, false]
    rollout.terminated = [false, false, false, true, false, false]
    rollout.setNextValues(afterLast: [4, 4], ofCuts: [2: 10])
    #expect(rollout.nextValues == [2, 2, 10, 3, 4, 4])
    rollout.estimateAdvantages(discount: 0.5, decay: 0.5)
    // Step 2: 1 + 0.5 * 4 - 3 = 0, for both. Step 1: 1 + 0.5 * 10 - 2 = 4 where cut, 1 - 2 = -1 where dead.
    // Step 0: 1 + 0.5 * 2 - 1 = 1, plus a quarter of what follows.
    #expect(rollout.advantages == [2, 0.75, 4, -1, 0, 0])
    #expect(rollout.returns == [3, 1.75, 6, 1, 3, 3])
  }

  @Test func rewardsAreScaledByTheDeviationOfReturns() {
    var scale = RewardScale(environments: 1)
    #expect(scale.factor == 1)
    // Discounted returns 2, 3, 3.5, then anew 2: mean 2.625, variance 0.421875.
    scale.observe([2], ended: [false], discount: 0.5)
    scale.observe([2], ended: [false], discount: 0.5)
    scale.observe([2], ended: [true], discount: 0.5)
    scale.observe([2], ended: [false], discount: 0.5)
    #expect(abs(scale.factor - 1 / Float(0.421875).squareRoot()) < 1e-6)
  }
}
