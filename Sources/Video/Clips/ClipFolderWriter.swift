import Foundation
import Safetensors

/// Makes a folder of clip shards that is there whole or not at all: shards are written into a hidden folder
/// beside it, which gets its name at the end.
public final class ClipFolderWriter {
  public let url: URL
  /// The number of shards so far.
  public private(set) var shardCount = 0
  private let temporary: URL
  private var isFinished = false

  /// - Throws: ``ClipError/occupied(folder:)`` if there is something already; ``ClipError/unwritable(_:)``
  public init(_ url: URL) throws(ClipError) {
    let target = URL(filePath: url.path)
    self.url = target
    let parent = target.deletingLastPathComponent()
    temporary = parent.appending(path: ".\(target.lastPathComponent).\(getpid()).tmp")
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder) {
      let names = try? FileManager.default.contentsOfDirectory(atPath: target.path)
      guard isFolder.boolValue, names?.isEmpty == true else { throw .occupied(folder: target.path) }
    }
    do {
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(.failed(path: target.path, reason: error.localizedDescription))
    }
  }

  deinit {
    if !isFinished { try? FileManager.default.removeItem(at: temporary) }
  }

  /// Writes the next shard.
  /// - Throws: ``ClipError/unwritable(_:)``
  public func append(_ clip: Clip) throws(ClipError) {
    let number = String(shardCount)
    let name = String(repeating: "0", count: max(5 - number.count, 0)) + number
    try ClipShard.write(clip, to: temporary.appending(path: "clip-\(name).safetensors"))
    shardCount += 1
  }

  /// Gives the folder its name.
  /// - Throws: ``ClipError``
  public func finish() throws(ClipError) {
    guard rename(temporary.path, url.path) == 0 else {
      let code = errno
      if code == ENOTEMPTY || code == EEXIST || code == ENOTDIR { throw .occupied(folder: url.path) }
      throw .unwritable(.failed(path: url.path, reason: String(cString: strerror(code))))
    }
    isFinished = true
  }
}
