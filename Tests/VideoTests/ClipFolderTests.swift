import Foundation
import TestSupport
import Testing

@testable import Video

struct ClipFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func writerMakesTheFolderAtTheEnd() throws {
    let url = folder.file("clips")
    let writer = try ClipFolderWriter(url)
    for number in 0..<3 { try writer.append(Scenes.counting(5, first: number * 5)) }
    #expect(!FileManager.default.fileExists(atPath: url.path))
    try writer.finish()
    #expect(try folder.names == ["clips"])
    let clips = try ClipFolder(url)
    #expect(clips.shards.count == 3 && clips.frameCount == 15)
    #expect(clips.shards[2][0].pixels[0] == 10)
    #expect(throws: ClipError.occupied(folder: url.path)) { try ClipFolderWriter(url) }
  }

  @Test func abandonedWriterLeavesNothing() throws {
    do {
      let writer = try ClipFolderWriter(folder.file("clips"))
      try writer.append(Scenes.counting(5))
    }
    #expect(try folder.names.isEmpty)
  }

  @Test func shardsAreSortedNaturallyAndMustAgree() throws {
    for number in [10, 9, 1] {
      try ClipShard.write(Scenes.counting(2, first: number), to: folder.file("c\(number).safetensors"))
    }
    #expect(try ClipFolder(folder.url).shards.map { $0[0].pixels[0] } == [1, 9, 10])
    let odd = folder.file("z.safetensors")
    try ClipShard.write(Clip(height: 2, width: 4, frames: [UInt8](repeating: 0, count: 24)), to: odd)
    #expect(throws: ClipError.frameSize(file: odd.path, found: [2, 4], expected: [4, 4])) {
      try ClipFolder(folder.url)
    }
    #expect(try ClipFolder(odd).frameCount == 1)
  }

  @Test func severalFoldersAreOne() throws {
    for (name, first) in [("b", 0), ("a", 5)] {
      let writer = try ClipFolderWriter(folder.file(name))
      try writer.append(Scenes.counting(5, first: first))
      try writer.finish()
    }
    let clips = try ClipFolder([folder.file("b"), folder.file("a")])
    #expect(clips.shards.map { $0[0].pixels[0] } == [0, 5] && clips.frameCount == 10)
    #expect(throws: ClipError.missing(path: folder.file("c").path)) {
      try ClipFolder([folder.file("a"), folder.file("c")])
    }
  }

  @Test func startsAreFromAllOverTheVideoAndEachOnce() throws {
    let url = folder.file("x.safetensors")
    try ClipShard.write(Scenes.counting(200, starts: Array(stride(from: 0, to: 200, by: 10))), to: url)
    let clips = try ClipFolder(url)
    let some = try clips.starts(50, seed: 1).map { $0.picture.pixels[0] }
    #expect(Set(some).count == 50 && some.allSatisfy { $0 % 10 != 9 })
    #expect((0..<4).allSatisfy { part in some.contains { Int($0) / 50 == part } })
    #expect(try clips.starts(50, seed: 1).map { $0.picture.pixels[0] } == some)
    #expect(try clips.starts(50, seed: 2).map { $0.picture.pixels[0] } != some)
    #expect(try clips.starts(1000, seed: 1).count == 180)
    #expect(try clips.starts(1000, seed: 1).allSatisfy { $0.begins == ($0.picture.pixels[0] % 10 == 0) })
    var anywhere = Scenes.counting(20)
    anywhere.metadata["begins"] = "anywhere"
    try ClipShard.write(anywhere, to: folder.file("anywhere.safetensors"))
    let strewn = try ClipFolder(folder.file("anywhere.safetensors")).starts(1000, seed: 1)
    #expect(strewn.count == 19 && strewn.allSatisfy { !$0.begins })
    let single = folder.file("single.safetensors")
    try ClipShard.write(Scenes.counting(1), to: single)
    #expect(throws: ClipError.noWindows(frames: 2, longest: 1)) {
      try ClipFolder(single).starts(3, seed: 1)
    }
  }

  @Test func missingAndEmptyFoldersAreErrors() {
    #expect(throws: ClipError.noShards(folder: folder.url.path)) { try ClipFolder(folder.url) }
    #expect(throws: ClipError.missing(path: folder.file("none").path)) { try ClipFolder(folder.file("none")) }
  }

  @Test func heldOutEpisodesAreWholeAndNeverTrainedOn() throws {
    let url = folder.file("x.safetensors")
    try ClipShard.write(Scenes.counting(200, starts: Array(stride(from: 0, to: 200, by: 10))), to: url)
    let clips = try ClipFolder(url)
    let (training, heldOut) = clips.split(heldOut: 0.2, seed: 1)
    #expect(heldOut.count == 4 && training.count == 16)
    #expect(Set((training + heldOut).map(\.frames.lowerBound)).count == 20)
    #expect(clips.split(heldOut: 0.2, seed: 1).heldOut == heldOut)
    #expect((2..<6).contains { clips.split(heldOut: 0.2, seed: $0).heldOut != heldOut })
    #expect(clips.split(heldOut: 0).training == clips.episodes)
    #expect(clips.split(heldOut: 0.001).heldOut.count == 1)
    #expect(clips.split(heldOut: 0.999).training.count == 1)
  }

  /// Where clips are added, before or behind, those that were never to be trained on stay so.
  @Test func heldOutEpisodesStayHeldOut() throws {
    func write(_ name: String, _ first: Int) throws -> URL {
      let url = folder.file(name)
      try ClipShard.write(
        Scenes.counting(200, starts: Array(stride(from: 0, to: 200, by: 4)), first: first), to: url)
      return url
    }
    let (first, second) = (try write("a.safetensors", 0), try write("b.safetensors", 1000))
    func shown(_ clips: ClipFolder, _ episodes: [ClipFolder.Episode]) -> Set<[UInt8]> {
      Set(episodes.map { clips.shards[$0.shard].frames($0.frames) })
    }
    let alone = try ClipFolder(first)
    let held = shown(alone, alone.split(heldOut: 0.2).heldOut)
    #expect(held.count == 10)
    let both = try ClipFolder([second, first])
    let trained = shown(both, both.split(heldOut: 0.2).training)
    // At the edge of the share a few change sides.
    #expect(held.intersection(trained).count <= 3)
  }

  @Test func aSingleEpisodeIsDividedInTime() throws {
    let url = folder.file("x.safetensors")
    try ClipShard.write(Scenes.counting(100), to: url)
    let (training, heldOut) = try ClipFolder(url).split(heldOut: 0.1)
    #expect(training == [.init(shard: 0, frames: 0..<90)])
    #expect(heldOut == [.init(shard: 0, frames: 90..<100)])
  }

  @Test(arguments: [("2.png", "10.png"), ("a2b3", "a2b10"), ("a", "b"), ("frame1", "frame01b"), ("x", "x1")])
  func naturalOrderOfNames(first: String, second: String) {
    #expect(naturalOrder(first, second))
    #expect(!naturalOrder(second, first))
  }
}
