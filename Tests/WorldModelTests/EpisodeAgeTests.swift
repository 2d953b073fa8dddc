import Autograd
import Foundation
import NeuralNetwork
import Testing

@testable import WorldModel

@Suite struct EpisodeAgeTests {
  private let tape = Tape(arena: Arena())

  private func configuration(
    _ kind: ActionConditioningKind = .film, ages: Int = 5
  ) -> GenieConfiguration {
    var configuration = GenieConfiguration.sample(conditioning: kind)
    configuration.dynamics.ages = ages
    return configuration
  }

  private func tokens(_ time: Int) -> [Int32] {
    let key = RandomKey(seed: 1)
    return (0..<time * 16).map { Int32(key.integer(UInt64($0), below: 12)) }
  }

  private func hidden(_ dynamics: Dynamics, _ actions: [Int32], ages: [Int32]?) -> Tensor {
    dynamics.hidden(
      tape, tokens: tokens(actions.count), actions: actions, ages: ages, batch: 1, time: actions.count
    ).value
  }

  @Test func agesAreToldInDoublings() {
    func told(_ age: Int32, _ count: Int = 4) -> [Float] {
      var features = [Float](repeating: 0, count: count)
      EpisodeAge.tell(age, to: &features, count: count)
      return features
    }
    #expect(told(0) == [1, 0, 0, 0] && told(1) == [0, 1, 0, 0] && told(3) == [0, 0, 1, 0])
    #expect(told(7) == [0, 0, 0, 1] && told(100_000) == [0, 0, 0, 1])
    #expect(told(EpisodeAge.unknown) == [0, 0, 0, 0])
    #expect(told(9, 1) == [1] && told(9, 0) == [])
    let between = told(2)
    #expect(between[1] > 0.4 && between[2] > 0.4 && abs(between.reduce(0, +) - 1) < 1e-6)
  }

  @Test(arguments: ActionConditioningKind.allCases) func agesMatterFromTheirFrameOn(
    kind: ActionConditioningKind
  ) throws {
    let dynamics = try Genie.sample(configuration(kind)).dynamics
    let actions: [Int32] = [-1, 0, 1, 2]
    let unknown = hidden(dynamics, actions, ages: nil)
    #expect(hidden(dynamics, actions, ages: [-1, -1, -1, -1]).values == unknown.values)
    let old = hidden(dynamics, actions, ages: [-1, -1, 9, 10])
    for t in 0..<2 { #expect(old.frame(t) == unknown.frame(t)) }
    #expect(largestDifference(old.frame(2), unknown.frame(2)) > 1e-3)
    let young = hidden(dynamics, actions, ages: [-1, -1, 2, 3])
    #expect(largestDifference(old.frame(2), young.frame(2)) > 1e-3)
  }

  /// What is trained further begins as it was, whatever ages it is told.
  @Test(arguments: ActionConditioningKind.allCases) func agesAreLearnedByWhatKnewOfNone(
    kind: ActionConditioningKind
  ) throws {
    let before = try Genie.sample(configuration(kind, ages: 0)).dynamics
    let after = Dynamics(configuration(kind).dynamics, seed: 9)
    #expect(after.canGoOn(from: before) && !before.canGoOn(from: after))
    #expect(!Dynamics(configuration(kind, ages: 4).dynamics, seed: 1).canGoOn(from: after))
    after.goOn(from: before)
    let actions: [Int32] = [-1, 0, 1, 2]
    let expected = hidden(before, actions, ages: nil)
    #expect(largestDifference(hidden(after, actions, ages: nil).values, expected.values) < 1e-5)
    #expect(largestDifference(hidden(after, actions, ages: [0, 1, 2, 3]).values, expected.values) < 1e-5)
  }

  /// Three windows of a world whose age is told, against passes over all of its frames.
  @Test func aSamplerTellsWhatTrainingTells() throws {
    let genie = try Genie.sample(configuration())
    let sampler = FrameSampler(PreparedGenie(genie, precision: .float32))
    var state = WorldState(genie, precision: .float32)
    var frame = [UInt8](repeating: 0, count: 16 * 16 * 3)
    var (shown, actions) = (tokens(1), [Dynamics.noAction])
    state.clear(knowsAge: true)
    sampler.commit(shown, actions: actions, to: &state, into: &frame)
    var differing = 0
    for t in 1...9 {
      actions.append(Int32(t % 4))
      _ = sampler.next(
        action: actions[t], state: &state,
        configuration: SamplingConfiguration(steps: 1, temperature: 0),
        key: RandomKey(seed: 1), into: &frame)
      func likeliest(_ ages: [Int32]?) -> [Int32] {
        let masked = shown + [Int32](repeating: genie.dynamics.mask, count: 16)
        let hidden = genie.dynamics.hidden(
          tape, tokens: masked, actions: actions, ages: ages, batch: 1, time: t + 1)
        let logits = Array(genie.dynamics.head(tape, hidden).value.values.suffix(16 * 12))
        return (0..<16).map { token in
          Int32((0..<12).max { logits[token * 12 + $0] < logits[token * 12 + $1] }!)
        }
      }
      #expect(likeliest((0...t).map(Int32.init)) == state.tokens, "frame \(t)")
      if likeliest(nil) != state.tokens { differing += 1 }
      shown += state.tokens
    }
    #expect(differing > 0)
  }

  @Test func olderFilesTellNoAges() throws {
    var object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration().dynamics))
        as? [String: Any])
    #expect(object["ages"] as? Int == 5)
    object["ages"] = nil
    let read = try JSONDecoder().decode(
      DynamicsConfiguration.self, from: JSONSerialization.data(withJSONObject: object))
    #expect(read == GenieConfiguration.sample().dynamics)
    #expect(configuration(ages: 25).problem != nil && configuration(ages: -1).problem != nil)
  }
}
