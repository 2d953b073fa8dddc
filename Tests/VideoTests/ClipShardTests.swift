import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Video

struct ClipShardTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [false, true]) func clipsComeBack(labelled: Bool) throws {
    var clip = Scenes.counting(10, starts: [0, 4], labelled: labelled)
    clip.metadata = ["fps": "15", "source": "a.mp4"]
    let url = folder.file("x.safetensors")
    try ClipShard.write(clip, to: url)
    let shard = try ClipShard(url)
    #expect(shard.clip() == clip)
    #expect(shard.episodes == [0..<4, 4..<10])
    #expect(shard.frames(3..<5) == Array(clip.frames[3 * 48..<5 * 48]))
    #expect(shard[7] == clip[7])
  }

  @Test func rewardsThatAreNoNumbersAreRefused() throws {
    let clip = Scenes.counting(10, starts: [0, 4])
    let url = folder.file("x.safetensors")
    try ClipShard.write(
      Clip(
        height: clip.height, width: clip.width, frames: clip.frames, episodeStarts: clip.episodeStarts,
        rewards: (0..<10).map { $0 == 3 ? .nan : 0 }), to: url)
    let error = #expect(throws: ClipError.self) { try ClipShard(url) }
    #expect(error?.description.contains("reward") == true)
  }

  @Test func appendedEpisodesStartWhereTheFirstEnd() {
    var clip = Scenes.counting(5, starts: [0, 2], labelled: true)
    clip.append(Scenes.counting(4, starts: [0, 3], labelled: true))
    #expect(clip.episodeStarts == [0, 2, 5, 8])
    #expect(clip.actions == [0, 1, 2, 3, 4, 0, 1, 2, 3])
    clip.append(Scenes.counting(1))
    #expect(clip.count == 10)
    #expect(clip.actions == nil)
  }

  static let malformed: [(String, @Sendable (inout SafetensorsContent) -> Void)] = [
    ("no frames", { $0.tensors["frames"] = nil }),
    ("float frames", { $0.tensors["frames"] = .init(shape: [1, 1, 1, 3], values: [0, 0, 0] as [Float]) }),
    ("grey frames", { $0.tensors["frames"] = .init(shape: [3, 1, 1, 1], values: [0, 0, 0] as [UInt8]) }),
    (
      "flat frames", { $0.tensors["frames"] = .init(shape: [3, 3], values: [UInt8](repeating: 0, count: 9)) }
    ),
    ("empty frames", { $0.tensors["frames"] = .init(shape: [0, 4, 4, 3], values: [] as [UInt8]) }),
    ("no starts", { $0.tensors["episode_starts"] = nil }),
    ("empty starts", { $0.tensors["episode_starts"] = .init(shape: [0], values: [] as [Int64]) }),
    ("late start", { $0.tensors["episode_starts"] = .init(shape: [1], values: [1] as [Int64]) }),
    ("double start", { $0.tensors["episode_starts"] = .init(shape: [2], values: [0, 0] as [Int64]) }),
    ("start beyond", { $0.tensors["episode_starts"] = .init(shape: [2], values: [0, 10] as [Int64]) }),
    ("huge start", { $0.tensors["episode_starts"] = .init(shape: [2], values: [0, Int64.max] as [Int64]) }),
    ("float starts", { $0.tensors["episode_starts"] = .init(shape: [1], values: [0] as [Float]) }),
    ("few actions", { $0.tensors["actions"] = .init(shape: [2], values: [0, 0] as [Int32]) }),
    (
      "float actions",
      { $0.tensors["actions"] = .init(shape: [10], values: [Float](repeating: 0, count: 10)) }
    ),
    (
      "many rewards", { $0.tensors["rewards"] = .init(shape: [11], values: [Float](repeating: 0, count: 11)) }
    ),
    ("few ends", { $0.tensors["ends"] = .init(shape: [1], values: [true]) }),
  ]

  @Test(arguments: malformed.indices) func malformedShardsAreErrors(index: Int) throws {
    let url = folder.file("x.safetensors")
    try ClipShard.write(Scenes.counting(10, labelled: true), to: url)
    var content = try SafetensorsContent(contentsOf: url)
    Self.malformed[index].1(&content)
    try content.write(to: url)
    let error = #expect(throws: ClipError.self, "\(Self.malformed[index].0)") { try ClipShard(url) }
    #expect(error?.description.contains(url.path) == true)
  }

  @Test func int32StartsAndInt64ActionsAreRead() throws {
    let url = folder.file("x.safetensors")
    try SafetensorsContent(tensors: [
      "frames": .init(shape: [2, 1, 1, 3], values: [UInt8](repeating: 0, count: 6)),
      "episode_starts": .init(shape: [2], values: [0, 1] as [Int32]),
      "actions": .init(shape: [2], values: [3, -1] as [Int64]),
    ]).write(to: url)
    let shard = try ClipShard(url)
    #expect(shard.episodeStarts == [0, 1])
    #expect(shard.actions == [3, -1])
  }
}
