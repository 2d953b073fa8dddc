import Foundation
import Safetensors

/// A data set: one or several folders of clip shards (or single ones), all with frames of one size.
public struct ClipFolder: Sendable {
  /// Consecutive frames of one shard that no cut interrupts.
  public struct Episode: Sendable, Equatable {
    /// Index into ``ClipFolder/shards``.
    public let shard: Int
    /// Frames of the shard.
    public let frames: Range<Int>

    public init(shard: Int, frames: Range<Int>) {
      self.shard = shard
      self.frames = frames
    }
  }

  public let shards: [ClipShard]
  /// All episodes, in the order of the shards.
  public let episodes: [Episode]

  /// Opens every `*.safetensors` of a folder, in natural order of their names, or one file.
  /// - Throws: ``ClipError``
  public init(_ url: URL) throws(ClipError) { try self.init([url]) }

  /// Opens several folders or files, one after the other.
  /// - Throws: ``ClipError``
  /// - Precondition: there is at least one.
  public init(_ urls: [URL]) throws(ClipError) {
    precondition(!urls.isEmpty, "no folder")
    var shards: [ClipShard] = []
    for url in urls {
      for file in try Self.files(url) {
        let shard = try ClipShard(file)
        if let first = shards.first, first.height != shard.height || first.width != shard.width {
          throw .frameSize(
            file: file.path, found: [shard.height, shard.width], expected: [first.height, first.width])
        }
        shards.append(shard)
      }
    }
    self.shards = shards
    episodes = shards.enumerated().flatMap { index, shard in
      shard.episodes.map { Episode(shard: index, frames: $0) }
    }
  }

  private static func files(_ url: URL) throws(ClipError) -> [URL] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw .missing(path: url.path)
    }
    let files = isFolder.boolValue ? naturallySorted(folder: url, extensions: ["safetensors"]) : [url]
    guard !files.isEmpty else { throw .noShards(folder: url.path) }
    return files
  }

  public var height: Int { shards[0].height }
  public var width: Int { shards[0].width }
  /// The number of frames in all shards.
  public var frameCount: Int { shards.reduce(0) { $0 + $1.count } }
  public var hasActions: Bool { shards.allSatisfy { $0.actions != nil } }
  public var hasRewards: Bool { shards.allSatisfy { $0.rewards != nil } }
  public var hasEnds: Bool { shards.allSatisfy { $0.ends != nil } }

  /// Divides the data into episodes to train on and episodes never to train on; whole episodes, chosen by
  /// the seed and what they show: where other clips are added, those that were held out stay so (but for a few at the edge
  /// of the share). Of a single episode the last part is held out, so that no frame is on both sides.
  /// - Parameter heldOut: the share of frames to hold out, 0 ..< 1. At least one episode is held out unless
  ///   it is 0, and at least one is not.
  public func split(heldOut: Double, seed: UInt64 = 0) -> (training: [Episode], heldOut: [Episode]) {
    precondition(heldOut >= 0 && heldOut < 1, "held-out share \(heldOut)")
    guard heldOut > 0 else { return (episodes, []) }
    if episodes.count == 1 {
      let frames = episodes[0].frames
      let count = min(max(Int((Double(frames.count) * heldOut).rounded()), 1), frames.count - 1)
      guard count > 0 else { return (episodes, []) }
      let cut = frames.upperBound - count
      return (
        [Episode(shard: 0, frames: frames.lowerBound..<cut)],
        [Episode(shard: 0, frames: cut..<frames.upperBound)]
      )
    }
    let marks = episodes.map { mark(of: $0, seed: seed) }
    let order = episodes.indices.sorted { (marks[$0], $0) < (marks[$1], $1) }
    let wanted = Double(frameCount) * heldOut
    var chosen: Set<Int> = []
    var frames = 0
    for position in 0..<episodes.count - 1 where chosen.isEmpty || Double(frames) < wanted {
      let episode = order[position]
      chosen.insert(episode)
      frames += episodes[episode].frames.count
    }
    return (
      episodes.indices.filter { !chosen.contains($0) }.map { episodes[$0] },
      chosen.sorted().map { episodes[$0] }
    )
  }

  /// Tells a shard from others: by where its episodes are, and by what they show.
  public func fingerprint(ofShard shard: Int) -> String {
    var hash = ContentHash()
    for (number, frames) in shards[shard].episodes.enumerated() {
      hash.add("\(number) \(frames) \(mark(of: Episode(shard: shard, frames: frames), seed: 0)) ".utf8)
    }
    return "\(hash)"
  }

  /// Tells video from other video: as ``fingerprint(ofShard:)``, of all shards in order.
  public var fingerprint: String {
    "\(ContentHash(shards.indices.map { fingerprint(ofShard: $0) }.joined(separator: " ").utf8))"
  }

  /// A number that an episode has wherever it lies.
  private func mark(of episode: Episode, seed: UInt64) -> UInt64 {
    let (frames, shard) = (episode.frames, shards[episode.shard])
    var hash = ContentHash()
    for frame in [frames.lowerBound, frames.lowerBound + frames.count / 2, frames.upperBound - 1] {
      hash.add(shard.frames(frame..<frame + 1))
    }
    return mixed(hash.value &+ UInt64(frames.count), seed)
  }
}

/// The files of a folder with one of the extensions, `frame2` before `frame10`; hidden ones are left out.
func naturallySorted(folder: URL, extensions: Set<String>) -> [URL] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  return
    names
    .filter { !$0.hasPrefix(".") && extensions.contains(($0 as NSString).pathExtension.lowercased()) }
    .sorted { naturalOrder($0, $1) }
    .map { folder.appending(path: $0) }
}

/// Compares runs of digits by their value and everything else by character.
func naturalOrder(_ left: String, _ right: String) -> Bool {
  func parts(_ text: String) -> [(number: String, text: String)] {
    var parts: [(number: String, text: String)] = []
    var rest = text[...]
    while !rest.isEmpty {
      let letters = rest.prefix { !("0"..."9").contains($0) }
      rest = rest.dropFirst(letters.count)
      let digits = rest.prefix { ("0"..."9").contains($0) }
      rest = rest.dropFirst(digits.count)
      parts.append((String(digits.drop { $0 == "0" }), String(letters)))
    }
    return parts
  }
  let (lefts, rights) = (parts(left), parts(right))
  for (a, b) in zip(lefts, rights) {
    if a.text != b.text { return a.text < b.text }
    if a.number.count != b.number.count { return a.number.count < b.number.count }
    if a.number != b.number { return a.number < b.number }
  }
  return lefts.count == rights.count ? left < right : lefts.count < rights.count
}
