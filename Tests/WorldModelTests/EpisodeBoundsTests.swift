import Autograd
import TestSupport
import Testing
import Video

@testable import WorldModel

@Suite struct EpisodeBoundsTests {
  /// Those, and only those, of which the reward model says that their last frame is an end.
  @Test func theRewardModelSaysWhichEnded() throws {
    let (video, genie) = (try SampleVideo(Array(20..<40)), try Genie.sample())
    let store = TokenStore(genie, folder: video.clips, workers: Workers(count: 1))
    let data = TrainingData(video.clips, heldOut: 0.2)
    let grid = genie.dynamics.configuration
    // Untrained: it takes some last frames for ends, and some not.
    let rewards = try TokenRewardModel(
      TokenRewardConfiguration(
        rows: grid.rows, columns: grid.columns, vocabulary: genie.tokenizer.vocabulary, values: []), seed: 3)
    let bounds = EpisodeBounds(data, store, rewards, frames: 30)
    var found = 0
    for episode in data.split.training where episode.frames.count > 1 {
      let last = episode.frames.upperBound - 1
      var memory = EpisodeMemory()
      let judgement = rewards.judge(
        previous: Array(store.tokens(episode.shard, last - 1..<last)), action: 0,
        tokens: Array(store.tokens(episode.shard, last..<last + 1)), memory: &memory,
        tape: Tape(arena: Arena()))
      #expect(bounds.ended(episode) == judgement.ended)
      for start in [episode.frames.lowerBound, last] {
        #expect(
          bounds.end(of: ClipLoader.Origin(shard: episode.shard, start: start))
            == (judgement.ended ? episode.frames.upperBound : nil))
        #expect(
          bounds.age(of: ClipLoader.Origin(shard: episode.shard, start: start))
            == start - episode.frames.lowerBound)
      }
      found += judgement.ended ? 1 : 0
    }
    #expect((1..<data.split.training.count).contains(found))
    // Clips of 30 frames begin with long episodes, and with those that can stay as they ended.
    let begins = Set((0..<400).map { bounds.beginning(RandomKey(seed: $0))!.start })
    let wanted = data.split.training.filter { $0.frames.count >= 30 || bounds.ended($0) }
    #expect(begins == Set(wanted.map(\.frames.lowerBound)) && wanted.count < data.split.training.count)
    #expect(EpisodeBounds(data, store, nil, frames: 1000).beginning(RandomKey(seed: 1)) == nil)
    // What is held out is nobody's end.
    #expect(data.split.heldOut.allSatisfy { !bounds.ended($0) })
    #expect(data.split.training.allSatisfy { !EpisodeBounds(data, store, nil, frames: 30).ended($0) })
  }

  /// Who begins within a level is of no known age, and shows no beginning; how he ends is known all the same.
  @Test func videoThatBeginsAnywhereHasNoBeginnings() throws {
    let (video, genie) = (try SampleVideo(Array(20..<40), begins: "anywhere"), try Genie.sample())
    let store = TokenStore(genie, folder: video.clips, workers: Workers(count: 1))
    let data = TrainingData(video.clips, heldOut: 0.2)
    #expect(video.clips.shards.map(\.beginsAnywhere) == [false, true])
    let bounds = EpisodeBounds(data, store, nil, frames: 15)
    let shards = Set((0..<200).map { bounds.beginning(RandomKey(seed: $0))!.shard })
    #expect(shards == [0])
    for episode in data.split.training where episode.frames.count > 3 {
      let age = bounds.age(of: ClipLoader.Origin(shard: episode.shard, start: episode.frames.lowerBound + 3))
      #expect(age == (episode.shard == 0 ? 3 : nil))
    }
  }

  @Test func afterTheEndNothingChanges() {
    var clip = TokenClip(tokens: [9, 1, 2, 3, 4, 5, 6][1...], actions: [Dynamics.noAction, 2, 0])
    clip.ages = [4, 5, 6]
    clip.stay(3, actions: 5, key: RandomKey(seed: 1))
    #expect(Array(clip.tokens) == [1, 2, 3, 4, 5, 6, 5, 6, 5, 6, 5, 6])
    #expect(clip.time == 6 && clip.actions.prefix(3) == [Dynamics.noAction, 2, 0])
    #expect(clip.actions.suffix(3).allSatisfy { (0..<5).contains($0) })
    #expect(clip.ages == [4, 5, 6, 7, 8, 9])
    let before = clip
    clip.stay(0, actions: 5, key: RandomKey(seed: 1))
    #expect(clip.tokens == before.tokens && clip.actions == before.actions)
  }
}
