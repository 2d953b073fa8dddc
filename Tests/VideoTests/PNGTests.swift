import Foundation
import TestSupport
import Testing

@testable import Video

struct PNGTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func picturesComeBack() throws {
    let picture = Scenes.texture(1, size: 33)
    let url = folder.file("x.png")
    try PNG.write(picture, to: url)
    #expect(try PNG.read(url) == picture)
    #expect(try PNG.decode(PNG.encode(picture)) == picture)
  }

  @Test(
    .enabled(if: Scenes.hasFFmpeg),
    arguments: [
      ("rgba", [180, 108, 85]), ("rgb48be", [180, 108, 85]), ("gray", [127, 127, 127]),
      ("gray16be", [127, 127, 127]), ("ya8", [127, 127, 127]), ("pal8", [180, 108, 85]),
      ("rgba64be", [180, 108, 85]), ("monob", [255, 255, 255]),
    ])
  func everyKindBecomesRGB(format: String, expected: [Int]) throws {
    let url = folder.file("\(format).png")
    let colour = format == "monob" ? "white" : "0xB46C55"
    try Scenes.ffmpeg([
      "-f", "lavfi", "-i", "color=c=\(colour):s=6x4,format=rgb24", "-frames:v", "1", "-pix_fmt", format,
      url.path,
    ])
    let picture = try PNG.read(url)
    #expect(picture.height == 4 && picture.width == 6)
    for (value, wanted) in zip(picture.pixels.prefix(3), expected) { #expect(abs(Int(value) - wanted) <= 4) }
  }

  @Test(.enabled(if: Scenes.hasFFmpeg)) func whatIsTransparentIsBlack() throws {
    let url = folder.file("clear.png")
    try Scenes.ffmpeg([
      "-f", "lavfi", "-i", "color=c=white@0.0:s=2x2,format=rgba", "-frames:v", "1", "-pix_fmt", "rgba",
      url.path,
    ])
    #expect(try PNG.read(url) == Picture(height: 2, width: 2))
  }

  @Test func brokenFilesAreErrorsThatNameThem() throws {
    let good = PNG.encode(Scenes.texture(2, size: 16))
    let url = folder.file("bad.png")
    for bytes in [[], [1, 2, 3], Array(good.prefix(20)), Array(good.prefix(60)), Array("no picture".utf8)] {
      try Data(bytes).write(to: url)
      let error = #expect(throws: PNGError.self) { try PNG.read(url) }
      #expect(error?.description.hasPrefix(url.path + ": ") == true)
    }
    #expect(throws: PNGError.self) { try PNG.read(folder.file("none.png")) }
    #expect(throws: PNGError.self) { try PNG.read(folder.url) }
  }

  /// A header that promises an enormous picture costs nothing.
  @Test func enormousPicturesAreRefused() {
    var bytes = PNG.encode(Picture(height: 1, width: 1))
    bytes.replaceSubrange(16..<24, with: [0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff])
    let crc = crc32(bytes[12..<29])
    bytes.replaceSubrange(29..<33, with: withUnsafeBytes(of: crc.bigEndian) { Array($0) })
    #expect(throws: PNGError.tooLarge(file: "x", what: "32767 x 32767 pixels")) {
      try PNG.decode(bytes, file: "x")
    }
  }

  @Test func damageNeverTraps() {
    let good = PNG.encode(Scenes.texture(3, size: 8))
    for index in good.indices {
      var bytes = good
      bytes[index] ^= 0x41
      _ = try? PNG.decode(bytes)
    }
  }

  private func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
