import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Video

@testable import WorldModel

@Suite struct TokenStoreTests {
  /// Chunks have enough of their past: codes and actions are those of the whole episodes.
  @Test(arguments: [1, 2], [false, true]) func chunksEqualWholeEpisodes(threads: Int, ofTokens: Bool) throws {
    // Many actions and many ends of chunks, so that a frame of the past too few is noticed.
    var configuration = GenieConfiguration.sample()
    (configuration.latentActions.codebook.codes, configuration.dynamics.actions) = (64, 64)
    if ofTokens {
      (configuration.latentActions.tokenWidth, configuration.latentActions.pooling) = (4, 1)
    }
    let (video, genie) = (try SampleVideo(Array(66..<96)), try Genie.sample(configuration))
    let store = TokenStore(genie, folder: video.clips, workers: Workers(count: threads))
    for episode in video.clips.episodes {
      let frames = FrameBatch(
        clips: 1, time: episode.frames.count, height: 16, width: 16,
        bytes: video.clips.shards[episode.shard].frames(episode.frames))
      #expect(
        Array(store.tokens(episode.shard, episode.frames)) == genie.tokenizer.encode(frames, arena: Arena()))
      let inferred = frames.time > 1 ? genie.latentActions.infer(frames, arena: Arena()) : []
      #expect(Array(store.actions(episode.shard, episode.frames)) == [Dynamics.noAction] + inferred)
    }
  }

  @Test func onlySomeEpisodes() throws {
    let (video, genie) = (try SampleVideo(), try Genie.sample())
    let all = TokenStore(genie, folder: video.clips, workers: Workers(count: 1))
    let last = video.clips.episodes.last!
    let some = TokenStore(genie, folder: video.clips, episodes: [last], workers: Workers(count: 1))
    #expect(some.tokens(last.shard, last.frames) == all.tokens(last.shard, last.frames))
    #expect(some.actions(last.shard, last.frames) == all.actions(last.shard, last.frames))
    for origin in try ClipLoader(video.clips, frames: 5, batchSize: 20, seed: 1).origins(0) {
      let clip = all.clip(origin, frames: 5)
      let range = origin.start..<origin.start + 5
      #expect(clip.tokens == all.tokens(origin.shard, range))
      #expect(clip.actions == [Dynamics.noAction] + Array(all.actions(origin.shard, range.dropFirst())))
    }
  }
}

@Suite struct KeptTokenTests {
  /// Files hold what memory would, are taken up by the next run, and belong to one model.
  @Test func filesAreLikeMemory() throws {
    let (video, genie) = (try SampleVideo(), try Genie.sample())
    let workers = Workers(count: 2)
    let folder = video.folder.file("tokens")
    let memory = TokenStore(genie, folder: video.clips, workers: workers)
    func expectSame(_ store: TokenStore) {
      for episode in video.clips.episodes {
        #expect(store.tokens(episode.shard, episode.frames) == memory.tokens(episode.shard, episode.frames))
        #expect(store.actions(episode.shard, episode.frames) == memory.actions(episode.shard, episode.frames))
      }
    }
    expectSame(try TokenStore(genie, folder: video.clips, keptIn: folder, workers: workers))
    func dates() throws -> [Date?] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
        try FileManager.default.attributesOfItem(atPath: folder.appending(path: $0).path)[.modificationDate]
          as? Date
      }
    }
    let first = try dates()
    #expect(first.count == 2)
    try Data([1, 2, 3]).write(to: folder.appending(path: "tokens-1.safetensors"))
    expectSame(try TokenStore(genie, folder: video.clips, keptIn: folder, workers: workers))
    #expect(try dates()[0] == first[0], "what is whole is not made again")
    let other = try Genie(.sample(), seed: 9)
    let others = try TokenStore(other, folder: video.clips, keptIn: folder, workers: workers)
    let whole = video.clips.episodes[0]
    #expect(others.tokens(0, whole.frames) != memory.tokens(0, whole.frames))
  }

  /// Files of the same names and lengths, of other video; and one of which a token is no code.
  @Test func tokensOfOtherVideoAreNotTaken() throws {
    let (video, genie) = (try SampleVideo(), try Genie.sample())
    let folder = video.folder.file("tokens")
    let workers = Workers(count: 1)
    _ = try TokenStore(genie, folder: video.clips, keptIn: folder, workers: workers)
    let other = try TemporaryFolder()
    defer { withExtendedLifetime(other) {} }
    for shard in video.clips.shards {
      var clip = shard.clip()
      clip = Clip(
        height: 16, width: 16, frames: clip.frames.map { 255 - $0 }, episodeStarts: clip.episodeStarts,
        metadata: clip.metadata)
      try ClipShard.write(clip, to: other.file(shard.url.lastPathComponent))
    }
    let clips = try ClipFolder(other.url)
    func first(_ store: TokenStore) -> [Int32] { Array(store.tokens(0, 0..<150)) }
    let expected = first(TokenStore(genie, folder: clips, workers: workers))
    #expect(first(try TokenStore(genie, folder: clips, keptIn: folder, workers: workers)) == expected)

    let file = folder.appending(path: "tokens-0.safetensors")
    var bytes = try Data(contentsOf: file)
    // Tokens are the last but actions, of which each frame has four bytes; or the other way round.
    bytes.replaceSubrange(bytes.count - 8..<bytes.count, with: Data(repeating: 0x7F, count: 8))
    try bytes.write(to: file)
    #expect(first(try TokenStore(genie, folder: clips, keptIn: folder, workers: workers)) == expected)
    #expect(try Data(contentsOf: file) != bytes, "made again")
  }

  @Test func severalProcessesMakeOneStore() throws {
    let (video, genie) = (try SampleVideo(), try Genie.sample())
    let memory = TokenStore(genie, folder: video.clips, workers: Workers(count: 1))
    let (clips, folder) = (video.clips, video.folder.file("tokens"))
    let frames = clips.shards[1].count
    let all = try ThreadCollective.run(2) { collective in
      try TokenStore(
        genie, folder: clips, keptIn: folder, workers: Workers(count: 1, collective: collective)
      ).tokens(1, 0..<frames)
    }
    #expect(all == [memory.tokens(1, 0..<frames), memory.tokens(1, 0..<frames)])
  }
}
