import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Video

@testable import WorldModel

/// Episodes in which a white square appears now and then (1 point), two squares rarely (2 points), and a red one at the end.
private struct LabelledVideo {
  let folder: TemporaryFolder
  let clips: ClipFolder

  init(episodes: Int, seed: UInt64) throws {
    folder = try TemporaryFolder()
    let key = RandomKey(seed: seed)
    var (frames, starts): ([UInt8], [Int]) = ([], [])
    var (rewards, ends): ([Float], [Bool]) = ([], [])
    for episode in 0..<episodes {
      let own = key.folded(in: UInt64(episode))
      starts.append(frames.count / 768)
      for t in 0..<24 {
        let squares =
          t == 0 || t == 23 ? 0 : own.uniform(UInt64(t)) < 0.2 ? (t == 11 && episode % 12 == 0 ? 2 : 1) : 0
        var frame = [UInt8](repeating: UInt8(90 + t % 3), count: 768)
        for square in 0..<squares {
          Self.fill(&frame, own.integer(UInt64(100 + 2 * t + square), below: 16), [255, 255, 255])
        }
        if t == 23 { Self.fill(&frame, own.integer(99, below: 16), [255, 0, 0]) }
        frames += frame
        // What a press gave stands beside the frame that was seen while pressing, one earlier.
        if t > 0 {
          rewards[rewards.count - 1] = Float(squares)
          ends[ends.count - 1] = t == 23
        }
        rewards.append(0)
        ends.append(false)
      }
    }
    try ClipShard.write(
      Clip(
        height: 16, width: 16, frames: frames, episodeStarts: starts,
        actions: [Int32](repeating: 0, count: rewards.count), rewards: rewards, ends: ends),
      to: folder.file("clips.safetensors"))
    clips = try ClipFolder(folder.url)
  }

  /// Paints one of the sixteen patches of 4 x 4.
  private static func fill(_ frame: inout [UInt8], _ patch: Int, _ colour: [UInt8]) {
    for y in 0..<4 {
      for x in 0..<12 { frame[((patch / 4 * 4 + y) * 16 + patch % 4 * 4) * 3 + x] = colour[x % 3] }
    }
  }
}

@Suite struct RewardTests {
  /// A tokenizer that has not learned anything, but gives each of the few patches a code of its own.
  private func makeGenie() throws -> Genie {
    var configuration = GenieConfiguration.sample()
    configuration.tokenizer.encoderBlocks = 0
    configuration.tokenizer.encoderPositions = false
    (configuration.tokenizer.codebook.codes, configuration.dynamics.vocabulary) = (256, 256)
    return try Genie(configuration, seed: 1)
  }

  private func transitions(_ video: LabelledVideo, _ genie: Genie, values: [Float]? = nil)
    -> LabelledTransitions
  {
    let store = TokenStore(genie, folder: video.clips, workers: Workers(count: 1))
    return LabelledTransitions(store, folder: video.clips, episodes: video.clips.episodes, values: values)
  }

  @Test func rewardsAndEndsAreFoundInNewEpisodes() throws {
    let genie = try makeGenie()
    let video = try LabelledVideo(episodes: 60, seed: 1)
    let held = try LabelledVideo(episodes: 20, seed: 2)
    let data = transitions(video, genie)
    #expect(data.count == 60 * 23, "no transition crosses a cut")
    let model = try TokenRewardModel(
      TokenRewardConfiguration(
        rows: genie.dynamics.configuration.rows, columns: genie.dynamics.configuration.columns,
        vocabulary: genie.tokenizer.vocabulary, values: data.values), seed: 1)
    let stage = RewardStage(
      model,
      configuration: StageConfiguration(
        steps: 600, batch: 64, time: 2, optimizer: .init(muonRate: nil, warmup: 10)),
      data: data, heldOut: transitions(held, genie, values: data.values), workers: Workers(count: 2), seed: 1)
    for step in 0..<600 { _ = stage.step(step, progress: Double(step) / 600) }
    let scores = stage.scores()
    #expect(scores.first { $0.name == "reward 1.0" }!.f1 > 0.9, "\(scores)")
    #expect(scores.first { $0.name == "end" }!.f1 > 0.9, "\(scores)")

    let folder = try TemporaryFolder()
    try model.save(to: folder.url)
    let loaded = try TokenRewardModel(folder: folder.url)
    let tape = Tape(arena: Arena())
    var memory = EpisodeMemory()
    for row in 0..<40 {
      let (previous, next) = data.tokens([row])
      let judged = model.judge(previous: previous, action: 0, tokens: next, memory: &memory, tape: tape)
      #expect(
        judged
          == loaded.judge(previous: previous, action: 0, tokens: next, memory: &memory, tape: tape))
    }
    try Data([1, 2, 3]).write(to: folder.file(TokenRewardModel.file))
    #expect(throws: GenieError.self) { try TokenRewardModel(folder: folder.url) }
  }

  /// One double among hundreds of singles is no kind of its own: it counts as the nearest.
  @Test func rareRewardsCountAsTheNearest() throws {
    let genie = try makeGenie()
    let video = try LabelledVideo(episodes: 60, seed: 1)
    let rewards = video.clips.shards[0].rewards!
    let doubles = rewards.count { $0 == 2 }
    let events = rewards.count { $0 != 0 }
    let data = transitions(video, genie)
    #expect(data.values == (doubles * 100 >= events ? [1, 2] : [1]))
    let known = transitions(video, genie, values: [1])
    let found = (0..<known.count).count { known.targets[$0 * known.width] == 1 }
    #expect(found == events)
    #expect(known.events.count == events + 60)
  }
}

@Suite struct GoalAndNoveltyTests {
  private func frame(_ genie: Genie, seed: UInt64) -> FrameBatch {
    let t = genie.configuration.tokenizer
    let key = RandomKey(seed: seed)
    return FrameBatch(
      clips: 1, time: 1, height: t.height, width: t.width,
      bytes: (0..<t.height * t.width * 3).map { UInt8(truncatingIfNeeded: key.bits(UInt64($0))) })
  }

  @Test func theGoalIsReachedWhereItIsSeen() throws {
    let genie = try Genie.sample()
    let goal = GoalReward(genie, goal: frame(genie, seed: 1))
    let there = genie.tokenizer.encode(frame(genie, seed: 1), arena: Arena())
    let elsewhere = genie.tokenizer.encode(frame(genie, seed: 2), arena: Arena())
    let tape = Tape(arena: Arena())
    var memory = EpisodeMemory()
    #expect(abs(goal.nearness(there) - 1) < 1e-4)
    let arrival = goal.judge(previous: elsewhere, action: 0, tokens: there, memory: &memory, tape: tape)
    let departure = goal.judge(previous: there, action: 0, tokens: elsewhere, memory: &memory, tape: tape)
    #expect(arrival.ended && arrival.reward > 0)
    // A detour earns nothing.
    #expect(!departure.ended && abs(arrival.reward + departure.reward) < 1e-6)
  }

  @Test func whatWasSeenIsNewNoMore() throws {
    let genie = try Genie.sample()
    let novelty = NoveltyReward(genie)
    let frames = (0..<2).map { genie.tokenizer.encode(frame(genie, seed: $0), arena: Arena()) }
    let tape = Tape(arena: Arena())
    var memory = EpisodeMemory()
    let rewards = [0, 0, 1, 0].map {
      novelty.judge(previous: frames[0], action: 0, tokens: frames[$0], memory: &memory, tape: tape).reward
    }
    #expect(rewards[0] == 1 && rewards[2] == 1)
    #expect(rewards[1] < 1 && rewards[3] < rewards[1])
    memory = EpisodeMemory()
    #expect(
      novelty.judge(previous: frames[0], action: 0, tokens: frames[0], memory: &memory, tape: tape).reward
        == 1)
  }
}
