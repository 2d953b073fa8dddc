import Testing

@testable import Video

struct CuratorTests {
  private func curated(
    _ frames: [Picture], _ options: ImportOptions
  ) throws -> (clips: [Clip], counts: CurationReport.Counts) {
    var clips: [Clip] = []
    var curator = Curator(options: options, metadata: [:]) { clips.append($0) }
    for frame in frames { try curator.append(frame.pixels) }
    try curator.finish()
    return (clips, curator.counts)
  }

  private func scene(_ seed: UInt64, _ count: Int) -> [Picture] {
    (0..<count).map { Scenes.texture(seed, offset: $0) }
  }

  @Test func blackFramesEndAnEpisodeAndAreDropped() throws {
    let black = Picture(height: 64, width: 64, red: 16, green: 3, blue: 0)
    let (clips, counts) = try curated(scene(1, 10) + [black, black] + scene(1, 12), ImportOptions())
    #expect(clips.count == 1 && clips[0].episodeStarts == [0, 10] && clips[0].count == 22)
    #expect(counts == .init(read: 24, kept: 22, droppedBlack: 2, episodes: 2))
    #expect(try curated([black] + scene(1, 9), ImportOptions(dropsBlack: false)).counts.droppedBlack == 0)
  }

  @Test func frozenFramesAreDroppedAfterAWhile() throws {
    let frozen = scene(1, 10) + Array(repeating: Scenes.texture(1, offset: 9), count: 20) + scene(1, 10)
    let (clips, counts) = try curated(frozen, ImportOptions(longestFreeze: 5))
    #expect(counts.droppedFrozen == 16)
    #expect(clips[0].episodeStarts == [0, 14])
    #expect(try curated(frozen, ImportOptions(longestFreeze: nil)).counts.kept == 40)
  }

  @Test func shortRunsAreDropped() throws {
    let (clips, counts) = try curated(scene(1, 8) + scene(2, 7) + scene(3, 9), ImportOptions())
    #expect(counts == .init(read: 24, kept: 17, droppedShort: 7, cuts: 2, episodes: 2))
    #expect(clips[0].episodeStarts == [0, 8])
    #expect(clips[0][8] == Scenes.texture(3))
    #expect(try curated(scene(1, 7), ImportOptions()).clips.isEmpty)
  }

  /// A shard of large pictures holds fewer of them.
  @Test func shardsAreBoundedInBytes() {
    #expect(ImportOptions(size: 64).framesPerShard == 4096)
    #expect(ImportOptions(size: 256).framesPerShard == (256 << 20) / (256 * 256 * 3))
    #expect(ImportOptions(size: 1024, shortestEpisode: 200).framesPerShard == 200)
  }

  @Test func shardsCloseWithEpisodesAndOnlyLongOnesAreDivided() throws {
    let options = ImportOptions(shortestEpisode: 2, framesPerShard: 10)
    let (clips, counts) = try curated(scene(1, 8) + scene(2, 8) + scene(3, 25), options)
    #expect(clips.map(\.count) == [16, 10, 10, 5])
    #expect(clips.map(\.episodeStarts) == [[0, 8], [0], [0], [0]])
    #expect(counts.episodes == 5 && counts.cuts == 2)
    #expect(try curated(scene(1, 8) + scene(2, 8), ImportOptions(detectsCuts: false)).counts.episodes == 1)
  }
}
