/// Why videos could not be imported.
public enum ImportError: Error, Sendable, Equatable {
  case missing(path: String)
  /// The `ffmpeg` or `ffprobe` executable is on none of the folders of PATH.
  case noFFmpeg(executable: String)
  /// ffmpeg finds no moving pictures in the file; the reason is its last line.
  case notAVideo(file: String, reason: String)
  /// ffmpeg began to decode the file and failed; the reason is its last line.
  case decodingFailed(file: String, reason: String)
  /// A video without a frame.
  case noFrames(file: String)
  /// A folder without pictures or videos.
  case emptyFolder(path: String)
  case picture(PNGError)
  /// A picture of another size than the pictures before it, `[height, width]`.
  case pictureSize(file: String, found: [Int], expected: [Int])
  /// All frames were dropped; the report says why.
  case nothingLeft(CurationReport)
  case clips(ClipError)
}

extension ImportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file or folder"
    case .noFFmpeg(let executable):
      "\(executable) was not found; install ffmpeg (Debian and Ubuntu: apt install ffmpeg, "
        + "macOS: brew install ffmpeg)"
    case .notAVideo(let file, let reason):
      "\(file): not a video (\(reason))"
    case .decodingFailed(let file, let reason):
      "\(file): cannot be decoded (\(reason))"
    case .noFrames(let file):
      "\(file): has no frames"
    case .emptyFolder(let path):
      "\(path): holds no PNG pictures and no videos"
    case .picture(let error):
      error.description
    case .pictureSize(let file, let found, let expected):
      "\(file): the picture is \(found) pixels, those before it \(expected)"
    case .nothingLeft(let report):
      "no episode is left of \(report.total.read) frames: \(report.total.droppedBlack) were black, "
        + "\(report.total.droppedFrozen) frozen, \(report.total.droppedShort) in runs too short"
    case .clips(let error):
      error.description
    }
  }
}
