import Autograd
import Environments
import Foundation
import Testing

@testable import ReinforcementLearning

@Suite struct ActionMapTests {
  let real = Discrete(3, names: ["left", "stay", "right"])

  private func samples(_ pairs: [(Int32, Int32)]) -> [ActionMap.Sample] {
    pairs.map { ActionMap.Sample(latent: $0.0, real: $0.1) }
  }

  @Test func eachLatentActionGoesToTheMajority() throws {
    let map = try ActionMap(
      fitting: samples([(0, 2), (0, 2), (0, 1), (2, 0), (2, 1), (2, 0), (2, 2), (0, 2)]), latentActions: 4,
      realActions: real)
    // Codes 1 and 3 were never seen; "right" is what was done most.
    #expect(map.actions == [2, 2, 0, 2])
    #expect(map.counts[2] == [2, 1, 1])
    #expect(map.samples == 8 && map.agreement == 5.0 / 8)
  }

  @Test func wrongSamplesAreErrors() {
    let many = samples(Array(repeating: (0, 0), count: 201))
    #expect(throws: ActionMapError.tooManySamples(201, limit: 200)) {
      try ActionMap(fitting: many, latentActions: 4, realActions: real)
    }
    #expect(throws: ActionMapError.noSamples) {
      try ActionMap(fitting: [], latentActions: 4, realActions: real)
    }
    for wrong in [(4, 0), (-1, 0), (0, 3)] as [(Int32, Int32)] {
      #expect(throws: ActionMapError.self) {
        try ActionMap(fitting: samples([wrong]), latentActions: 4, realActions: real)
      }
    }
  }

  @Test func aMapSurvivesItsFileAndADamagedOneDoesNot() throws {
    let map = try ActionMap(fitting: samples([(0, 2), (1, 0)]), latentActions: 2, realActions: real)
    let data = try JSONEncoder().encode(map)
    #expect(try JSONDecoder().decode(ActionMap.self, from: data) == map)
    let text = String(decoding: data, as: UTF8.self)
    let damaged = text.replacingOccurrences(of: "\"actions\":[2,0]", with: "\"actions\":[2,9]")
    #expect(damaged != text)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ActionMap.self, from: Data(damaged.utf8))
    }
  }

  @Test func aMappedPolicyActsInTheRealGame() throws {
    let map = try ActionMap(fitting: samples([(0, 2), (1, 0)]), latentActions: 2, realActions: real)
    let policy = MappedPolicy(ConstantPolicy(action: 1), map: map)
    #expect(policy.actions(for: [0], keys: [RandomKey(seed: 1)]) == [0])
    try policy.check(Levels().specification)
    #expect(throws: PolicyError.actionMismatch(policy: 3, environment: 6)) {
      try policy.check(Platformer().specification)
    }
  }
}
