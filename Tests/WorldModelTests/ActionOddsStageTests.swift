import Autograd
import NeuralNetwork
import TestSupport
import Testing
import Video

@testable import WorldModel

/// What ``ActionOddsStage`` learns of a video of two codes and four actions.
@Suite struct ActionOddsStageTests {
  private let video: SampleVideo
  private let data: TrainingData
  private let lengths: [Int]
  private let key = RandomKey(seed: 5)

  init() throws {
    // Enough for both halves of the episodes, whichever are held out.
    video = try SampleVideo([210, 190, 170, 160])
    data = TrainingData(video.clips, heldOut: 0.2)
    lengths = video.clips.shards.map(\.count)
  }

  /// - Parameters:
  ///   - codes: of all tokens of each frame.
  ///   - actions: that led to each frame.
  private func trained(_ codes: [Int32], _ actions: [Int32], steps: Int = 150) throws -> (
    ActionOdds, ActionOddsStage
  ) {
    let shards = [0..<lengths[0], lengths[0]..<codes.count].map { range in
      TokenShard(
        tokens: codes[range].flatMap { [UInt16](repeating: UInt16($0), count: 16) },
        actions: Array(actions[range]), tokensPerFrame: 16)
    }
    let genie = try Genie(.sample(), seed: 1)
    // 2 is like 0, 3 is like 1.
    genie.latentActions.quantizer.codebook.copy(
      from: Tensor([1, 0, 0, 0, 0, 1, 0, 0, 0.8, 0.6, 0, 0, 0.6, 0.8, 0, 0], shape: [4, 4]))
    let odds = try ActionOdds(genie, seed: 1)
    let stage = try ActionOddsStage(
      odds, vectors: genie.latentActions.quantizer.codebook,
      training: TrainingConfiguration(
        actionOdds: .init(
          steps: steps, batch: 32, time: 2, optimizer: .init(rate: 2e-3, muonRate: nil, weightDecay: 0.05))),
      store: TokenStore(shards: shards, tokensPerFrame: 16), data: data, workers: Workers(count: 2), seed: 1)
    for step in 0..<steps { _ = stage.step(step, progress: Double(step) / Double(steps)) }
    return (odds, stage)
  }

  /// After pictures of code 1 the video shows actions 0 and 1, after those of code 2 only 2 and 3.
  @Test func whatNeverFollowsIsFound() throws {
    let total = lengths.reduce(0, +)
    let codes = (0..<total).map { Int32(1 + key.integer(UInt64($0), below: 2)) }
    // By turns, so that neither of the two changes more of the picture than the other.
    var turns = [Int32](repeating: 0, count: 4)
    let actions = (0..<total).map { frame -> Int32 in
      guard frame > 0 else { return Dynamics.noAction }
      let kind = Int(codes[frame - 1] - 1) * 2 + (codes[frame] == codes[frame - 1] ? 0 : 1)
      turns[kind] += 1
      return (codes[frame - 1] - 1) * 2 + turns[kind] % 2
    }
    let (odds, stage) = try trained(codes, actions)
    // Each action is barred in one half of the pictures.
    let figures = Dictionary(uniqueKeysWithValues: stage.validate().map { ($0.name, $0.value) })
    #expect(try (0.4...0.7).contains(#require(figures["mostBarred"])) && figures["replaced"] == 0)
    let unseen = stage.unseen()
    for episode in data.split.training {
      for frame in episode.frames.dropLast().prefix(20) {
        let place = frame + (episode.shard == 0 ? 0 : lengths[0])
        let action = actions[place + 1]
        let other = action < 2 ? action + 2 : action - 2
        #expect(unseen.inPlace(of: action, after: frame, of: episode.shard) == [other])
        let tokens = [Int32](repeating: codes[place], count: 16)
        for asked in 0..<4 as Range<Int32> {
          // 2 for 0 and 3 for 1, and the other way round.
          let expected = asked / 2 == action / 2 ? asked : (asked + 2) % 4
          #expect(
            odds.instead(of: asked, after: tokens, leastOdds: 0.05, tape: Tape(arena: Arena())) == expected)
        }
      }
    }
  }

  /// A player who goes on with what he does, in pictures that show what he does: nothing is impossible.
  @Test func aHabitIsNoImpossibility() throws {
    let total = lengths.reduce(0, +)
    var actions: [Int32] = [0]
    for frame in 1..<total {
      let isNew = key.uniform(UInt64(frame)) < 0.1
      actions.append(isNew ? Int32(key.integer(UInt64(total + frame), below: 4)) : actions[frame - 1])
    }
    let (odds, stage) = try trained(actions.map { $0 + 1 }, actions)
    #expect(stage.validate().contains { $0.name == "mostBarred" && $0.value == 0 })
    for code in 1...4 as ClosedRange<Int32> {
      let tape = Tape(arena: Arena())
      for half in 0..<2 {
        let found = odds.odds(tape, half: half, after: [Int32](repeating: code, count: 16)).values
        #expect(found.allSatisfy { $0 > ActionOdds.surelySeen }, "\(code): \(found)")
      }
    }
  }
}
