import Foundation

@testable import Video

/// Made-up pictures and videos for tests.
enum Scenes {
  /// A coarse random texture, `[size, size, 3]`, of which `offset` pixels have scrolled past on the left.
  static func texture(_ seed: UInt64, size: Int = 64, offset: Int = 0) -> Picture {
    var pixels: [UInt8] = []
    for row in 0..<size {
      for column in 0..<size {
        let cell = mixed(seed, UInt64((row / 8) * 10_000 + (column + offset) / 8))
        pixels += [UInt8(truncatingIfNeeded: cell), UInt8(truncatingIfNeeded: cell >> 8), 128]
      }
    }
    return Picture(height: size, width: size, pixels: pixels)
  }

  /// A clip whose every frame tells its own index, `[height, width]` = [4, 4].
  static func counting(_ count: Int, starts: [Int] = [0], first: Int = 0, labelled: Bool = false) -> Clip {
    var frames: [UInt8] = []
    for index in first..<first + count {
      for _ in 0..<16 {
        frames += [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8), 0]
      }
    }
    return Clip(
      height: 4, width: 4, frames: frames, episodeStarts: starts,
      actions: labelled ? (0..<count).map { Int32(first + $0) } : nil,
      rewards: labelled ? (0..<count).map { Float(first + $0) / 2 } : nil,
      ends: labelled ? (0..<count).map { ($0 + first) % 3 == 0 } : nil)
  }

  static let hasFFmpeg = (try? FFmpeg()) != nil

  /// Runs ffmpeg and waits; its failure fails the test.
  static func ffmpeg(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["ffmpeg", "-nostdin", "-v", "error", "-y"] + arguments
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  /// Writes the pictures as `0.png`, `1.png`, ...
  static func write(_ pictures: [Picture], to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (index, picture) in pictures.enumerated() {
      try PNG.write(picture, to: folder.appending(path: "\(index).png"))
    }
  }

  /// A video without loss, unless `codec` says otherwise.
  static func video(
    _ pictures: [Picture], _ url: URL, rate: Int = 10, codec: [String] = ["-c:v", "ffv1", "-pix_fmt", "bgr0"]
  ) throws {
    let folder = url.appendingPathExtension("frames")
    try write(pictures, to: folder)
    try ffmpeg(
      ["-framerate", "\(rate)", "-start_number", "0", "-i", folder.path + "/%d.png"] + codec + [url.path])
  }
}
