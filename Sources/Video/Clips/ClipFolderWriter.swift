import Foundation
import Safetensors

/// Makes a folder of clip shards that is there whole or not at all: shards are written into a hidden folder
/// beside it, which gets its name at the end.
///
/// Shards come one after the other, or in parts that several threads write at the same time.
public final class ClipFolderWriter {
  public let url: URL
  /// The number of shards so far, those of parts left out.
  public private(set) var shardCount = 0
  private let temporary: URL
  private let isKept: Bool
  private var isFinished = false

  /// - Parameter keepsUnfinished: leaves the hidden folder where it is when all goes wrong, for the next writer of the same
  ///   folder to go on with.
  /// - Throws: ``ClipError/occupied(folder:)`` if there is something already; ``ClipError/unwritable(_:)``
  public init(_ url: URL, keepsUnfinished: Bool = false) throws(ClipError) {
    isKept = keepsUnfinished
    let target = URL(filePath: url.path)
    self.url = target
    let parent = target.deletingLastPathComponent()
    temporary = parent.appending(
      path: ".\(target.lastPathComponent).\(keepsUnfinished ? "partial" : "\(getpid()).tmp")")
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
    // Of a writer that was killed within a shard.
    let left = (try? FileManager.default.contentsOfDirectory(atPath: temporary.path)) ?? []
    for name in left where name.hasPrefix(".") && name.hasSuffix(".tmp") {
      try? FileManager.default.removeItem(at: temporary.appending(path: name))
    }
    // Of a writer that was killed while it finished; its parts are told as missing, and made again.
    for file in naturallySorted(folder: temporary, extensions: ["safetensors"])
    where file.lastPathComponent.hasPrefix("clip-") { try? FileManager.default.removeItem(at: file) }
  }

  deinit {
    if !isFinished && !isKept { try? FileManager.default.removeItem(at: temporary) }
  }

  /// Writes a shard of a part; parts follow each other by number. Several threads may write parts of their own.
  /// - Throws: ``ClipError/unwritable(_:)``
  func append(_ clip: Clip, part: Int, shard: Int) throws(ClipError) {
    try ClipShard.write(clip, to: file(part: part, shard: shard))
  }

  /// Remembers what is known of a part that is complete.
  func complete(part: Int, _ record: some Encodable) throws(ClipError) {
    do {
      try AtomicFile.write(try JSONEncoder().encode(record), to: recordFile(part))
    } catch let error as AtomicFileError {
      throw .unwritable(error)
    } catch {
      throw .unwritable(.failed(path: url.path, reason: "\(error)"))
    }
  }

  /// What ``complete(part:_:)`` remembered, of this writer or one before it.
  /// - Parameter shards: how many shards the record says that there are.
  func record<Record: Decodable>(
    of part: Int, _ type: Record.Type, shards: (Record) -> Int
  ) -> Record? {
    guard let data = try? Data(contentsOf: recordFile(part)),
      let record = try? JSONDecoder().decode(Record.self, from: data),
      (0..<shards(record)).allSatisfy({
        FileManager.default.fileExists(atPath: file(part: part, shard: $0).path)
      })
    else { return nil }
    return record
  }

  /// Removes what an earlier writer has left of some parts.
  func discard(_ isDiscarded: (_ part: Int) -> Bool) {
    for file in naturallySorted(folder: temporary, extensions: ["safetensors", "json"]) {
      let words = file.deletingPathExtension().lastPathComponent.split(separator: "-")
      guard words.first == "part", words.count > 1, let part = Int(words[1]), isDiscarded(part)
      else { continue }
      try? FileManager.default.removeItem(at: file)
    }
  }

  private func file(part: Int, shard: Int) -> URL {
    temporary.appending(path: "part-\(part)-\(shard).safetensors")
  }
  private func recordFile(_ part: Int) -> URL { temporary.appending(path: "part-\(part).json") }

  /// Writes the next shard.
  /// - Throws: ``ClipError/unwritable(_:)``
  public func append(_ clip: Clip) throws(ClipError) {
    try ClipShard.write(clip, to: nextShard())
  }

  private func nextShard() -> URL {
    let number = String(shardCount)
    shardCount += 1
    return temporary.appending(
      path: "clip-\(String(repeating: "0", count: max(5 - number.count, 0)))\(number).safetensors")
  }

  /// Gives the folder its name, and shards of parts theirs.
  /// - Throws: ``ClipError``
  public func finish() throws(ClipError) {
    for file in naturallySorted(folder: temporary, extensions: ["safetensors"])
    where file.lastPathComponent.hasPrefix("part-") {
      guard rename(file.path, nextShard().path) == 0 else {
        throw .unwritable(.failed(path: url.path, reason: String(cString: strerror(errno))))
      }
    }
    for file in naturallySorted(folder: temporary, extensions: ["json"]) {
      try? FileManager.default.removeItem(at: file)
    }
    guard rename(temporary.path, url.path) == 0 else {
      let code = errno
      if code == ENOTEMPTY || code == EEXIST || code == ENOTDIR { throw .occupied(folder: url.path) }
      throw .unwritable(.failed(path: url.path, reason: String(cString: strerror(code))))
    }
    isFinished = true
  }
}
