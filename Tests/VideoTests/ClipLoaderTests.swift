import Foundation
import TestSupport
import Testing

@testable import Video

struct ClipLoaderTests {
  let folder: TemporaryFolder
  let clips: ClipFolder

  /// Two shards with episodes of 7, 3, 20 and 12, 1, 5 frames; the second counts from 1000.
  init() throws {
    folder = try TemporaryFolder()
    try ClipShard.write(
      Scenes.counting(30, starts: [0, 7, 10], labelled: true), to: folder.file("a.safetensors"))
    try ClipShard.write(
      Scenes.counting(18, starts: [0, 12, 13], first: 1000, labelled: true), to: folder.file("b.safetensors"))
    clips = try ClipFolder(folder.url)
  }

  @Test func everyWindowComesOnceAndNoneCrossesAStart() throws {
    let loader = try ClipLoader(clips, frames: 5, batchSize: 1, seed: 3)
    // 3 + 0 + 16 and 8 + 0 + 1 windows.
    #expect(loader.windowCount == 28)
    for epoch in 0..<3 {
      var seen: Set<[Int]> = []
      for number in 0..<28 {
        let batch = loader.batch(epoch * 28 + number)
        let origin = batch.origins[0]
        seen.insert([origin.shard, origin.start])
        let window = origin.start..<origin.start + 5
        #expect(
          clips.shards[origin.shard].episodes.contains {
            $0.contains(window.lowerBound) && $0.contains(window.upperBound - 1)
          })
      }
      #expect(seen.count == 28)
    }
  }

  /// Of an episode whose windows may run over its end every frame is in as many as any other, from the fifth on.
  @Test func windowsRunOverTheEndsTheyMay() throws {
    let runsOver = clips.episodes[3]
    let loader = try ClipLoader(clips, frames: 5, batchSize: 1, seed: 3) { $0 == runsOver }
    // 3 + 0 + 16, and 11 + 0 + 1 windows.
    #expect(loader.windowCount == 31)
    let starts = (0..<31).flatMap { loader.origins($0) }.filter { $0.shard == 1 && $0.start < 12 }
    #expect(starts.map(\.start).sorted() == Array(0..<11))
    let shown = (0..<12).map { frame in starts.count { ($0.start..<$0.start + 5).contains(frame) } }
    #expect(shown == [1, 2, 3, 4] + [Int](repeating: 5, count: 7) + [4])
  }

  @Test func framesAndLabelsBelongToTheirOrigin() throws {
    let loader = try ClipLoader(clips, frames: 4, batchSize: 6, seed: 1)
    let batch = loader.batch(2)
    #expect(batch.frames.count == 6 * 4 * 48)
    for (index, origin) in batch.origins.enumerated() {
      for time in 0..<4 {
        let number = origin.shard * 1000 + origin.start + time
        let place = index * 4 + time
        #expect(Int(batch.frames[place * 48]) + Int(batch.frames[place * 48 + 1]) * 256 == number)
        #expect(batch.actions?[place] == Int32(number))
        #expect(batch.rewards?[place] == Float(number) / 2)
        #expect(batch.ends?[place] == ((origin.start + time + origin.shard * 1000) % 3 == 0))
      }
    }
  }

  @Test func batchesDependOnSeedAndNumberOnly() throws {
    let first = try ClipLoader(clips, frames: 3, batchSize: 4, seed: 9)
    let batches = (0..<20).map { first.batch($0) }
    let second = try ClipLoader(clips, frames: 3, batchSize: 4, seed: 9)
    #expect((0..<20).reversed().map { second.batch($0) } == batches.reversed())
    let other = try ClipLoader(clips, frames: 3, batchSize: 4, seed: 10)
    #expect((0..<20).map { other.batch($0) } != batches)
    // Each time round another order.
    let whole = try ClipLoader(clips, frames: 3, batchSize: second.windowCount, seed: 9)
    #expect(whole.batch(0).origins != whole.batch(1).origins)
  }

  @Test func onlyChosenEpisodesAreDrawnFrom() throws {
    let loader = try ClipLoader(clips, episodes: [clips.episodes[3]], frames: 2, batchSize: 11, seed: 0)
    #expect(Set(loader.batch(0).origins.map(\.start)) == Set(0..<11))
    #expect(loader.batch(0).origins.allSatisfy { $0.shard == 1 })
  }

  @Test func windowsLongerThanEveryEpisodeAreAnError() {
    #expect(throws: ClipError.noWindows(frames: 21, longest: 20)) {
      try ClipLoader(clips, frames: 21, batchSize: 1, seed: 0)
    }
  }

  @Test func labelsOfSomeShardsOnlyAreLeftOut() throws {
    try ClipShard.write(Scenes.counting(9), to: folder.file("c.safetensors"))
    let loader = try ClipLoader(ClipFolder(folder.url), frames: 2, batchSize: 1, seed: 0)
    #expect(loader.batch(0).actions == nil)
  }

  @Test(arguments: [1, 2, 3, 4, 5, 16, 17, 1000, 4097]) func permutationsHoldEveryNumberOnce(count: Int) {
    let permutation = Permutation(count: count, seed: 5)
    let order = (0..<count).map { permutation[$0] }
    #expect(order.sorted() == Array(0..<count))
    if count > 100 {
      #expect(order != (0..<count).map { Permutation(count: count, seed: 6)[$0] })
      // Neighbours are torn apart: a random order keeps about one pair in `count`.
      #expect(zip(order, order.dropFirst()).count { $1 == $0 + 1 } < 10)
    }
  }
}
