import Foundation
import TestSupport
import Testing

@testable import Video

@Suite struct MovieTests {
  @Test(.enabled(if: Scenes.hasFFmpeg), arguments: ["gif", "mp4"])
  func aMovieCanBeImportedAgain(kind: String) throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let frames = (0..<12).map { Scenes.texture(3, offset: $0) }
    let file = folder.file("movie.\(kind)")
    try Movie(frames, framesPerSecond: 10).write(to: file)
    let report = try VideoImport(ImportOptions(size: 64)).run([file], to: folder.file("clips"))
    #expect(report.total.kept == 12)
    let seen = try ClipFolder(folder.file("clips")).shards[0].clip()[5]
    let differences = zip(seen.pixels, frames[5].pixels).map { abs(Int($0) - Int($1)) }
    #expect(differences.reduce(0, +) < 12 * differences.count)
  }

  @Test func otherKindsAreRefused() throws {
    let movie = Movie([Picture(height: 4, width: 4)], framesPerSecond: 1)
    #expect(throws: MovieError.unknownKind(file: "/nowhere/movie.avi")) {
      try movie.write(to: URL(filePath: "/nowhere/movie.avi"))
    }
  }
}

@Suite struct CurationSheetTests {
  @Test func whatWasDroppedCanBeSeen() throws {
    var curator = Curator(options: ImportOptions(longestFreeze: 2), metadata: [:]) { _ in }
    let black = Picture(height: 64, width: 64)
    let scene = (0..<10).map { Scenes.texture(1, offset: $0) }
    let other = (0..<9).map { Scenes.texture(2, offset: $0) }
    for frame in scene + [black, black, black] + scene + other { try curator.append(frame.pixels) }
    try curator.finish()
    let samples = curator.samples
    // A run of black frames is one thing to look at.
    #expect(samples.map(\.reason) == [.black, .cut])
    #expect(samples.map(\.frame) == [10, 23])
    #expect(samples[1].pictures == [scene[9], other[0]])
    var report = CurationReport()
    #expect(report.sheet() == nil)
    report.sources = [
      .init(path: "a", framesPerSecond: nil, counts: curator.counts, samples: samples, warning: nil)
    ]
    #expect((report.sheet()?.height ?? 0) >= 128)
  }
}

@Suite struct CentreCropTests {
  @Test(arguments: [(30, 90), (90, 30), (64, 64), (7, 5)])
  func proportionsStay(height: Int, width: Int) {
    var picture = Picture(height: height, width: width, red: 10, green: 20, blue: 30)
    // The middle pixel stays in the middle.
    let middle = (height / 2 * width + width / 2) * 3
    for channel in 0..<3 { picture.pixels[middle + channel] = 255 }
    let cropped = picture.centreCrop(height: 16, width: 16)
    #expect(cropped.height == 16 && cropped.width == 16)
    #expect(cropped.pixels.max()! > 10)
    #expect(Array(cropped.pixels.prefix(3)) == [10, 20, 30])
  }
}
