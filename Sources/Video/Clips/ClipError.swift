import Safetensors

/// What is wrong with a clip shard or a folder of them.
public enum ClipError: Error, Sendable, Equatable {
  case missing(path: String)
  /// A folder without a single shard.
  case noShards(folder: String)
  case unreadable(SafetensorsError)
  /// A safetensors file that is not a clip: a tensor's shape or values do not belong to one.
  case notAClip(file: String, reason: String)
  /// Frames of another size than the shards before it have, `[height, width]`.
  case frameSize(file: String, found: [Int], expected: [Int])
  /// The target of a new folder already holds something.
  case occupied(folder: String)
  case unwritable(AtomicFileError)
  /// No episode is as long as the windows asked for.
  case noWindows(frames: Int, longest: Int)
}

extension ClipError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): no such file or folder"
    case .noShards(let folder):
      "\(folder): holds no clips (*.safetensors)"
    case .unreadable(let error):
      error.description
    case .notAClip(let file, let reason):
      "\(file): not a clip shard (\(reason))"
    case .frameSize(let file, let found, let expected):
      "\(file): frames are \(found) pixels, those of the other shards \(expected)"
    case .occupied(let folder):
      "\(folder): already exists and is not an empty folder; choose another name or remove it"
    case .unwritable(let error):
      error.description
    case .noWindows(let frames, let longest):
      "no episode has \(frames) frames, the longest has \(longest)"
    }
  }
}
