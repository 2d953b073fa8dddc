import Autograd
import Environments
import Testing

@testable import ReinforcementLearning

@Suite struct MappedPolicyTests {
  @Test func eachLatentActionGoesToTheRealOneThatLeadsToIt() {
    let pairs: [(latent: Int32, real: Int32)] = [
      (0, 2), (0, 2), (0, 1), (2, 0), (2, 1), (2, 0), (2, 2), (0, 2),
    ]
    let map = ActionMap(pairs: pairs, latentCount: 4, realCount: 3)
    // Codes 1 and 3 were never seen; 2 is what was done most.
    #expect(map.real == [2, 2, 0, 2])
    #expect(map.counts?[2] == [2, 1, 1])
    #expect(map.samples == 8)
  }

  /// Pressed against walls, "right" accompanies standing still more often than doing nothing does.
  @Test func aCommonActionThatOftenFailsTakesNoOthersPlace() {
    let (noop, right): (Int32, Int32) = (0, 1)
    let pairs: [(latent: Int32, real: Int32)] =
      Array(repeating: (0, right), count: 20) + Array(repeating: (1, right), count: 10)
      + Array(repeating: (1, noop), count: 5)
    #expect(ActionMap(pairs: pairs, latentCount: 2, realCount: 2).real == [right, noop])
  }

  @Test func theWayBackTakesTheCodeThatWasSeenTheMost() {
    let pairs: [(latent: Int32, real: Int32)] = [(0, 1), (1, 0), (2, 1), (2, 1), (3, 0)]
    var map = ActionMap(pairs: pairs, latentCount: 4, realCount: 2, names: ["rest", "go"])
    #expect(map.inverse(realCount: 2)?.real[1] == 2 && map.inverse(realCount: 2)?.names == ["rest", "go"])
    #expect(map.inverse(realCount: 3) == nil, "nothing leads to the third")
    map.counts = [[1]]
    #expect(map.inverse(realCount: 2)?.real.count == 2, "counts of a file may be too few")
  }

  @Test func aMapLooksAtNoMoreSamplesThanItMay() {
    let pairs = Array(repeating: (latent: Int32(0), real: Int32(1)), count: 200)
    let later = Array(repeating: (latent: Int32(0), real: Int32(2)), count: 500)
    let map = ActionMap(pairs: pairs + later, latentCount: 1, realCount: 3)
    #expect(map.real == [1] && map.samples == 200)
  }

  @Test func aLatentPolicyActsInTheRealGame() throws {
    let map = ActionMap(real: [2, 0], samples: 2)
    let policy = MappedPolicy(ConstantPolicy(action: 1), map: map)
    #expect(policy.actions(for: [0], keys: [RandomKey(seed: 1)]) == [0])
    try policy.check(Levels().specification)
    // The corridor has no action 2, and the map no latent action 5.
    #expect(throws: PolicyError.actionMismatch(policy: 3, environment: 2)) {
      try policy.check(Corridor().specification)
    }
    #expect(throws: PolicyError.self) {
      try MappedPolicy(ConstantPolicy(action: 5), map: map).check(Levels().specification)
    }
    #expect(throws: PolicyError.self) {
      try MappedPolicy(ConstantPolicy(action: 0), map: ActionMap(real: [], samples: 0))
        .check(Levels().specification)
    }
  }
}
