import Foundation
import TestSupport
import Testing

@testable import Video

@Suite(.enabled(if: Scenes.hasFFmpeg))
struct VideoImportTests {
  let folder: TemporaryFolder
  let target: URL
  init() throws {
    folder = try TemporaryFolder()
    target = folder.file("clips")
  }

  private func fails(
    _ inputs: [URL], _ options: ImportOptions = ImportOptions(), mentioning text: String
  ) throws {
    let error = #expect(throws: ImportError.self) { try VideoImport(options).run(inputs, to: target) }
    let description = error?.description ?? ""
    #expect(description.contains(text), "\(description)")
    let names = try folder.names
    #expect(!names.contains { $0.contains("clips") }, "\(names)")
  }

  @Test func framesAreThoseOfTheVideo() throws {
    let pictures =
      (0..<30).map { Scenes.texture(1, offset: $0) } + (0..<12).map { Scenes.texture(2, offset: $0) }
    let video = folder.file("a.mkv")
    try Scenes.video(pictures, video)
    var calls = 0
    let report = try VideoImport().run([video], to: target) { progress in
      calls += 1
      #expect(progress.frames == calls && progress.expected == 42)
    }
    #expect(calls == 42)
    #expect(report.sources.count == 1 && report.sources[0].framesPerSecond == 10)
    let shard = try ClipFolder(target).shards[0]
    #expect(shard.episodeStarts == [0, 30])
    #expect(shard.metadata == ["source": "a.mkv", "fps": "10.0", "begins": "anywhere"])
    #expect(shard.frames(0..<42) == pictures.flatMap(\.pixels))
  }

  @Test func colourSurvivesChromaSubsampling() throws {
    // One-pixel stripes of red would be lost if chroma were read at half the size.
    let video = folder.file("a.mp4")
    let colour = Picture(height: 64, width: 64, red: 220, green: 30, blue: 40)
    try Scenes.video(
      Array(repeating: colour, count: 10), video, codec: ["-c:v", "libx264", "-pix_fmt", "yuv420p"])
    _ = try VideoImport().run([video], to: target)
    let pixel = try ClipFolder(target).shards[0][5].pixels.prefix(3)
    for (value, wanted) in zip(pixel, [220, 30, 40]) { #expect(abs(Int(value) - wanted) <= 6) }
  }

  @Test(arguments: [("a.gif", [String]()), ("a.webm", ["-c:v", "libvpx", "-b:v", "2M"])])
  func otherFormats(name: String, codec: [String]) throws {
    let video = folder.file(name)
    try Scenes.video((0..<20).map { Scenes.texture(1, offset: $0) }, video, codec: codec)
    let report = try VideoImport().run([video], to: target)
    #expect(report.total.read == 20)
    let (a, b) = (try ClipFolder(target).shards[0][3].pixels, Scenes.texture(1, offset: 3).pixels)
    #expect(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } / a.count < 25)
  }

  @Test func rateIsChosen() throws {
    let video = folder.file("a.mkv")
    try Scenes.video((0..<40).map { Scenes.texture(1, offset: $0) }, video, rate: 20)
    let report = try VideoImport(ImportOptions(framesPerSecond: 10)).run([video], to: target)
    #expect(report.total.read == 20)
    #expect(try ClipFolder(target).shards[0].metadata["fps"] == "10.0")
  }

  @Test func wideVideoIsCroppedOrStretched() throws {
    var wide = Picture(height: 32, width: 64, red: 200, green: 0, blue: 0)
    wide.paste(Picture(height: 32, width: 32, red: 0, green: 0, blue: 200), top: 0, left: 16)
    let video = folder.file("a.mkv")
    try Scenes.video(Array(repeating: wide, count: 10), video)
    for (fit, reds) in [(ImportOptions.Fit.crop, 0), (.stretch, 16 * 16 / 2)] {
      let out = folder.file("\(fit)")
      _ = try VideoImport(ImportOptions(size: 16, fit: fit)).run([video], to: out)
      let frame = try ClipFolder(out).shards[0][0]
      #expect(frame.height == 16 && frame.width == 16)
      #expect(stride(from: 0, to: frame.pixels.count, by: 3).count { frame.pixels[$0] > 150 } == reds)
    }
  }

  @Test func foldersOfPicturesAndOfVideos() throws {
    let pictures = (0..<12).map { Scenes.texture(1, size: 32, offset: $0) }
    try Scenes.write(pictures, to: folder.file("pictures"))
    let videos = folder.file("videos")
    try FileManager.default.createDirectory(at: videos, withIntermediateDirectories: true)
    try Scenes.video(pictures, videos.appending(path: "v10.mkv"))
    try Scenes.video(Array(pictures.prefix(9)), videos.appending(path: "v9.mkv"))
    try Data("notes".utf8).write(to: videos.appending(path: "notes.txt"))
    let report = try VideoImport(ImportOptions(size: 32)).run([folder.file("pictures"), videos], to: target)
    #expect(report.sources.map(\.counts.read) == [12, 9, 12])
    let clips = try ClipFolder(target)
    #expect(clips.episodes.count == 3)
    // 2.png comes before 10.png.
    #expect(clips.shards[0].frames(0..<12) == pictures.flatMap(\.pixels))
  }

  @Test func whatIsMissingIsNamed() throws {
    try fails([folder.file("none.mp4")], mentioning: folder.file("none.mp4").path)
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: true)
    try fails([folder.file("empty")], mentioning: "holds no PNG pictures and no videos")
  }

  @Test func missingFFmpegSaysHowToInstallIt() throws {
    let video = folder.file("a.mp4")
    try Data([1]).write(to: video)
    let error = #expect(throws: ImportError.noFFmpeg(executable: "ffmpeg")) {
      try VideoImport(ImportOptions(), searchPath: folder.url.path).run([video], to: target)
    }
    #expect(error?.description.contains("apt install ffmpeg") == true)
  }

  @Test func whatIsNoVideoIsAnError() throws {
    let file = folder.file("a.mp4")
    for bytes in [
      Data(), Data("just text\nof two lines".utf8),
      Data((0..<5000).map { UInt8(truncatingIfNeeded: mixed(1, $0)) }),
    ] {
      try bytes.write(to: file)
      try fails([file], mentioning: file.path + ": ")
    }
    let text = folder.file("notes.txt")
    try Data(String(repeating: "words and words\n", count: 500).utf8).write(to: text)
    try fails([text], mentioning: "not a video")
    let sound = folder.file("a.wav")
    try Scenes.ffmpeg(["-f", "lavfi", "-i", "sine=d=1", sound.path])
    try fails([sound], mentioning: "no video stream")
  }

  @Test func truncatedVideoIsAnErrorOrAWarning() throws {
    let whole = folder.file("whole.mp4")
    try Scenes.video(
      (0..<40).map { Scenes.texture(UInt64($0)) }, whole, codec: ["-c:v", "libx264", "-pix_fmt", "yuv420p"])
    let bytes = try Data(contentsOf: whole)
    let half = folder.file("half.mp4")
    try bytes.prefix(bytes.count / 2).write(to: half)
    // The index is at the end of an mp4: without it there is nothing.
    try fails([half], mentioning: half.path)
  }

  @Test func brokenVideoAmongGoodOnesLeavesNothing() throws {
    let good = folder.file("good.mkv")
    try Scenes.video((0..<10).map { Scenes.texture(1, offset: $0) }, good)
    let bad = folder.file("bad.mkv")
    try Data("no video".utf8).write(to: bad)
    try fails([good, bad], mentioning: bad.path)
  }

  @Test func picturesOfDifferentSizesAndBrokenOnesAreNamed() throws {
    let pictures = folder.file("pictures")
    try Scenes.write([Scenes.texture(1), Scenes.texture(1, size: 32)], to: pictures)
    try fails([pictures], mentioning: pictures.appending(path: "1.png").path)
    try Data("no picture".utf8).write(to: pictures.appending(path: "1.png"))
    try fails([pictures], mentioning: pictures.appending(path: "1.png").path)
  }

  @Test func nothingLeftSaysWhy() throws {
    let video = folder.file("a.mkv")
    try Scenes.video(Array(repeating: Picture(height: 64, width: 64), count: 9), video)
    try fails([video], mentioning: "9 were black")
  }
}
