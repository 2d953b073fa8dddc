import Foundation
import Safetensors

/// A clip in a safetensors file, its frames read only when asked for.
///
/// Tensors: `frames` U8 `[time, height, width, 3]`, `episode_starts` I64 `[episodes]`, and where they are
/// known `actions` I32, `rewards` F32 and `ends` BOOL, each `[time]`. The meaning is ``Clip``'s.
public struct ClipShard: Sendable {
  public let url: URL
  /// The number of frames.
  public let count: Int
  public let height: Int
  public let width: Int
  public let episodeStarts: [Int]
  public let actions: [Int32]?
  public let rewards: [Float]?
  public let ends: [Bool]?
  private let file: SafetensorsFile

  /// Opens a shard and checks all of it but the pixels.
  /// - Throws: ``ClipError``
  public init(_ url: URL) throws(ClipError) {
    do throws(SafetensorsError) {
      file = try SafetensorsFile(url)
      self.url = url
      let shape = try file.shape(of: "frames")
      guard try file.type(of: "frames") == .u8, shape.count == 4, shape[3] == 3, !shape.contains(0) else {
        throw SafetensorsError(
          file: url.path, problem: .wrongShape(tensor: "frames", expected: [-1, -1, -1, 3], found: shape))
      }
      (count, height, width) = (shape[0], shape[1], shape[2])
      episodeStarts = try Self.integers("episode_starts", in: file).map(Int.init)
      actions =
        try file.contains("actions") ? Self.integers("actions", in: file).map(Int32.init(clamping:)) : nil
      rewards = try file.contains("rewards") ? file.tensor("rewards").floats() : nil
      ends = try file.contains("ends") ? file.tensor("ends").bools() : nil
    } catch {
      throw .unreadable(error)
    }
    guard Clip.areStarts(episodeStarts, frames: count) else {
      throw .notAClip(file: url.path, reason: "episode_starts do not ascend from 0 within \(count) frames")
    }
    guard rewards?.allSatisfy(\.isFinite) ?? true else {
      throw .notAClip(
        file: url.path, reason: "a reward is no number: leave out `rewards` where they are not known")
    }
    for (name, labels) in [("actions", actions?.count), ("rewards", rewards?.count), ("ends", ends?.count)] {
      guard labels ?? count == count else {
        throw .notAClip(file: url.path, reason: "\(labels ?? 0) \(name) for \(count) frames")
      }
    }
  }

  /// What else the file says, such as `fps` and `source`.
  public var metadata: [String: String] { file.metadata }

  /// Whether the episodes begin somewhere within what they show, rather than where it begins: metadata `begins` is `anywhere`.
  public var beginsAnywhere: Bool { metadata["begins"] == "anywhere" }

  /// The frames of each episode.
  public var episodes: [Range<Int>] { Clip.episodes(starts: episodeStarts, frames: count) }

  /// Copies frames out of the file.
  /// - Parameter range: within `0..<count`.
  /// - Returns: `[range.count, height, width, 3]`.
  public func frames(_ range: Range<Int>) -> [UInt8] {
    withFrames(range) { Array($0) }
  }

  /// Calls `body` with the bytes of some frames without copying them.
  public func withFrames<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "frames \(range) of \(count)")
    do {
      return try file.withUnsafeBytes(of: "frames", rows: range, body)
    } catch {
      preconditionFailure("rows checked when the shard was opened: \(error)")
    }
  }

  /// The frame at an index in `0..<count`.
  public subscript(index: Int) -> Picture {
    Picture(height: height, width: width, pixels: frames(index..<index + 1))
  }

  /// The whole clip in memory.
  public func clip() -> Clip {
    Clip(
      height: height, width: width, frames: frames(0..<count), episodeStarts: episodeStarts,
      actions: actions, rewards: rewards, ends: ends, metadata: metadata)
  }

  /// Writes a clip as a shard, atomically.
  /// - Throws: ``ClipError/unwritable(_:)``
  public static func write(_ clip: Clip, to url: URL) throws(ClipError) {
    var content = SafetensorsContent(metadata: clip.metadata)
    content.tensors["frames"] = SafetensorsTensor(
      shape: [clip.count, clip.height, clip.width, 3], values: clip.frames)
    content.tensors["episode_starts"] = SafetensorsTensor(
      shape: [clip.episodeStarts.count], values: clip.episodeStarts.map(Int64.init))
    if let actions = clip.actions {
      content.tensors["actions"] = SafetensorsTensor(shape: [clip.count], values: actions)
    }
    if let rewards = clip.rewards {
      content.tensors["rewards"] = SafetensorsTensor(shape: [clip.count], values: rewards)
    }
    if let ends = clip.ends {
      content.tensors["ends"] = SafetensorsTensor(shape: [clip.count], values: ends)
    }
    do throws(AtomicFileError) {
      try content.write(to: url)
    } catch {
      throw .unwritable(error)
    }
  }

  /// Python often writes int64 where int32 would do, and the other way round.
  private static func integers(
    _ name: String, in file: SafetensorsFile
  ) throws(SafetensorsError) -> [Int64] {
    let tensor = try file.tensor(name)
    return tensor.type == .i32 ? try tensor.int32s().map(Int64.init) : try tensor.int64s()
  }
}
