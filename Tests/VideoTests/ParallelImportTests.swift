import Foundation
import TestSupport
import Testing

@testable import Video

@Suite(.enabled(if: Scenes.hasFFmpeg))
struct ParallelImportTests {
  let folder: TemporaryFolder
  let videos: [URL]

  init() throws {
    folder = try TemporaryFolder()
    var videos: [URL] = []
    for index in 0..<5 {
      let video = folder.file("v\(index).mkv")
      try Scenes.video(
        (0..<(10 + 3 * index)).map { Scenes.texture(UInt64(index + 1), size: 32, offset: $0) }, video)
      videos.append(video)
    }
    self.videos = videos
  }

  private let options = ImportOptions(size: 32, shortestEpisode: 4, framesPerShard: 8)

  /// However many are read at a time, the clips are the same.
  @Test func workersMakeTheSameClips() throws {
    let (one, many) = (folder.file("one"), folder.file("many"))
    var seen = 0
    let first = try VideoImport(options).run(videos, to: one)
    let second = try VideoImport(options, workers: 3).run(videos, to: many) { seen = max(seen, $0.frames) }
    #expect(first == second && seen == first.total.read)
    let (a, b) = (try ClipFolder(one), try ClipFolder(many))
    #expect(a.shards.map(\.url.lastPathComponent) == b.shards.map(\.url.lastPathComponent))
    for (left, right) in zip(a.shards, b.shards) { #expect(left.clip() == right.clip()) }
    withExtendedLifetime(folder) {}
  }

  /// What was finished before a failure is not read again.
  @Test func anImportIsGoneOnWith() throws {
    let target = folder.file("clips")
    let broken = folder.file("broken.mkv")
    try Data("no video".utf8).write(to: broken)
    #expect(throws: ImportError.self) {
      try VideoImport(options).run(videos + [broken], to: target, resumes: true)
    }
    #expect(!FileManager.default.fileExists(atPath: target.path))
    try Data("half a shard".utf8).write(to: folder.file(".clips.partial/.part-0-1.safetensors.1-1.tmp"))
    try FileManager.default.removeItem(at: broken)
    try Scenes.video((0..<9).map { Scenes.texture(7, size: 32, offset: $0) }, broken)
    // One of them was changed since.
    try Scenes.video((0..<20).map { Scenes.texture(8, size: 32, offset: $0) }, videos[2])
    var read: [String: Int] = [:]
    let report = try VideoImport(options, workers: 2).run(videos + [broken], to: target, resumes: true) {
      read[$0.path, default: 0] += 1
    }
    #expect(videos.map { read[$0.path] } == [1, 1, 20, 1, 1] && read[broken.path] == 9)
    let whole = folder.file("whole")
    let expected = try VideoImport(options).run(videos + [broken], to: whole)
    #expect(report.total == expected.total)
    for (left, right) in zip(try ClipFolder(target).shards, try ClipFolder(whole).shards) {
      #expect(left.clip() == right.clip())
    }
    #expect(try !folder.names.contains { $0.contains("partial") })
    let names = try FileManager.default.contentsOfDirectory(atPath: target.path)
    #expect(names.allSatisfy { $0.hasPrefix("clip-") })
  }

  /// Nothing of an import by other options, or of other inputs, is among the clips.
  @Test func whatWasLeftByOthersIsNotTaken() throws {
    let target = folder.file("clips")
    let broken = folder.file("broken.mkv")
    try Data("no video".utf8).write(to: broken)
    #expect(throws: ImportError.self) {
      try VideoImport(ImportOptions(size: 32, shortestEpisode: 4, framesPerShard: 4))
        .run(videos + [broken], to: target, resumes: true)
    }
    let some = Array(videos.prefix(2))
    let report = try VideoImport(options).run(some, to: target, resumes: true)
    let clips = try ClipFolder(target)
    #expect(clips.frameCount == report.total.kept)
    let whole = folder.file("whole")
    _ = try VideoImport(options).run(some, to: whole)
    #expect(try clips.shards.map { $0.clip() } == ClipFolder(whole).shards.map { $0.clip() })
    #expect(!clips.shards.contains { !$0.beginsAnywhere })
  }
}
