import Foundation

/// A video file in any format that ffmpeg reads, as frames.
final class VideoFile: FrameSource {
  let path: String
  let framesPerSecond: Double?
  let expectedFrames: Int?
  private(set) var warning: String?
  private let url: URL
  private let size: Int
  private let decoder: ChildProcess
  private var count = 0
  private var isAtEnd = false

  init(_ url: URL, options: ImportOptions, ffmpeg: FFmpeg) throws(ImportError) {
    self.url = url
    path = url.path
    size = options.size
    let properties = try ffmpeg.properties(of: url)
    var own = properties.framesPerSecond
    if let rate = own, let highest = options.highestFramesPerSecond { own = min(rate, highest) }
    framesPerSecond = options.framesPerSecond ?? own
    if let duration = properties.duration, let framesPerSecond, duration * framesPerSecond < 1e12 {
      expectedFrames = Int(duration * framesPerSecond)
    } else {
      expectedFrames = nil
    }
    decoder = try ffmpeg.decode(
      url, properties, framesPerSecond: framesPerSecond, size: options.size, fit: options.fit)
  }

  func next() throws(ImportError) -> [UInt8]? {
    if isAtEnd { return nil }
    let frameSize = size * size * 3
    var count = 0
    let frame = [UInt8](unsafeUninitializedCapacity: frameSize) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<frameSize])
      count = decoder.read(into: raw)
      initialized = count
    }
    if count == frameSize {
      self.count += 1
      return frame
    }
    isAtEnd = true
    let (succeeded, lastLine) = decoder.finish()
    let complaint = reason(lastLine, url)
    guard succeeded, count == 0 else {
      throw .decodingFailed(file: path, reason: complaint ?? "ffmpeg stopped within a frame")
    }
    guard self.count > 0 else {
      if let complaint { throw .decodingFailed(file: path, reason: complaint) }
      throw .noFrames(file: path)
    }
    warning = complaint
    return nil
  }
}
