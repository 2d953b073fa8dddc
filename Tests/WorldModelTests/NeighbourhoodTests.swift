import Autograd
import Foundation
import Testing

@testable import WorldModel

/// What a token is told of the frame before, at its place and around it.
@Suite struct NeighbourhoodTests {
  private let tape = Tape(arena: Arena())

  private func hidden(_ dynamics: Dynamics, _ tokens: [Int32]) -> Tensor {
    let time = tokens.count / 16
    return dynamics.hidden(
      tape, tokens: tokens, actions: [-1] + (1..<time).map { Int32($0 % 4) }, batch: 1, time: time
    ).value
  }

  private func tokens(_ frames: Int, changing changed: (frame: Int, token: Int)? = nil) -> [Int32] {
    let key = RandomKey(seed: 5)
    var tokens = (0..<frames * 16).map { Int32(key.integer(UInt64($0), below: 12)) }
    if let changed {
      tokens[changed.frame * 16 + changed.token] = (tokens[changed.frame * 16 + changed.token] + 1) % 12
    }
    return tokens
  }

  /// Without any attention, a token knows its neighbours in the frame before, and nothing else of any frame.
  @Test func itReachesAroundAPlaceAndOneFrameBack() throws {
    var configuration = GenieConfiguration.sample(neighbourhood: 1).dynamics
    configuration.blocks = 0
    let dynamics = Dynamics(configuration, seed: 3)
    let before = hidden(dynamics, tokens(4))
    // Row 1, column 0 of the grid of 4 x 4.
    let after = hidden(dynamics, tokens(4, changing: (1, 4)))
    let reached: Set<Int> = [16 + 4, 32 + 0, 32 + 1, 32 + 4, 32 + 5, 32 + 8, 32 + 9]
    for place in 0..<64 {
      let (x, y) = (before.values[place * 16..<(place + 1) * 16], after.values[place * 16..<(place + 1) * 16])
      #expect((x != y) == reached.contains(place), "place \(place)")
    }
  }

  /// The first frame of a clip has none before it, whatever the clip before it in the batch.
  @Test func clipsOfABatchDoNotMix() throws {
    let dynamics = try Genie.sample(.sample(neighbourhood: 2)).dynamics
    let (one, two) = (tokens(3), tokens(3, changing: (2, 7)))
    let both = dynamics.hidden(
      tape, tokens: one + two, actions: [-1, 1, 2, -1, 1, 2], batch: 2, time: 3
    ).value.values
    let size = 3 * 16 * 16
    #expect(Array(both[..<size]) == hidden(dynamics, one).values)
    #expect(Array(both[size...]) == hidden(dynamics, two).values)
  }

  /// What is trained further begins as it was.
  @Test func itIsLearnedByWhatWasToldNone() throws {
    let before = try Genie.sample().dynamics
    let after = Dynamics(GenieConfiguration.sample(neighbourhood: 1).dynamics, seed: 9)
    #expect(after.canGoOn(from: before) && !before.canGoOn(from: after))
    #expect(!Dynamics(GenieConfiguration.sample(neighbourhood: 2).dynamics, seed: 9).canGoOn(from: after))
    after.goOn(from: before)
    #expect(largestDifference(hidden(after, tokens(5)).values, hidden(before, tokens(5)).values) == 0)
  }

  @Test func olderFilesTellNone() throws {
    let configuration = GenieConfiguration.sample(neighbourhood: 1)
    var object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration.dynamics)) as? [String: Any])
    #expect(object["neighbourhood"] as? Int == 1)
    object["neighbourhood"] = nil
    let read = try JSONDecoder().decode(
      DynamicsConfiguration.self, from: JSONSerialization.data(withJSONObject: object))
    #expect(read == GenieConfiguration.sample().dynamics)
    #expect(GenieConfiguration.sample(neighbourhood: 4).problem != nil)
    #expect(GenieConfiguration.sample(neighbourhood: -1).problem != nil)
  }
}
