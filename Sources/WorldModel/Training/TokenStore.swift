import Autograd
import Foundation
import NeuralNetwork
import Safetensors
import Video

/// One clip of the tokens of a video.
public struct TokenClip: Sendable {
  /// `[time, tokens]`.
  public var tokens: ArraySlice<Int32>
  /// `[time]`: what led to each frame.
  public var actions: [Int32]
  /// `[time]`: which actions video does not show in the place of each; empty where that is not known.
  var unseen: [[Int32]] = []
  /// `[time]`: frames of the episode before each; nil where that is not told.
  var ages: [Int32]?
  /// The first frame that is to be predicted; those before it are shown. Of a clip that was chosen because of what it shows, frames
  /// up to there would teach that this comes about oftener than it does.
  var firstPredicted = 0

  public init(tokens: ArraySlice<Int32>, actions: [Int32]) {
    self.tokens = tokens
    self.actions = actions
  }

  var time: Int { actions.count }

  /// Goes on for some frames more, in which nothing changes, whatever is done.
  mutating func stay(_ frames: Int, actions: Int, key: RandomKey) {
    let last = tokens.suffix(tokens.count / time)
    for frame in 0..<frames {
      tokens += last
      self.actions.append(Int32(key.integer(UInt64(frame), below: actions)))
      if let age = ages?.last { ages?.append(age + 1) }
    }
  }
}

/// The video as the dynamics model sees it: tokens of every frame and the latent action that led to it.
///
/// In memory, or, for video of any length, in files that are read where a clip lies.
public struct TokenStore: Sendable {
  private let shards: [TokenShard]
  /// Where each shard's frames begin among those of all, and at the end how many there are.
  private let offsets: [Int]
  public let tokensPerFrame: Int

  init(shards: [TokenShard], tokensPerFrame: Int) {
    self.shards = shards
    self.tokensPerFrame = tokensPerFrame
    offsets = Self.offsets(shards)
  }

  /// Encodes into memory.
  /// - Parameters:
  ///   - episodes: those to encode; tokens of other frames are 0 and mean nothing.
  ///   - progress: told the number of frames done so far.
  public init(
    _ genie: Genie, folder: ClipFolder, episodes: [ClipFolder.Episode]? = nil, workers: Workers,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let encoding = Encoding(genie, folder: folder, episodes: episodes ?? folder.episodes, workers: workers)
    tokensPerFrame = encoding.tokensPerFrame
    shards = encoding.encode(Array(folder.shards.indices), progress: progress).map {
      TokenShard(tokens: $0.tokens, actions: $0.actions, tokensPerFrame: encoding.tokensPerFrame)
    }
    offsets = Self.offsets(shards)
  }

  /// Encodes into files, one for each shard of clips, a few at a time; those that an earlier run left of the same video are taken as they are.
  /// Where several processes train together each encodes some of the shards.
  /// - Parameters:
  ///   - url: the folder of the files, made where it is missing; the same for all processes.
  ///   - progress: told the number of frames done so far.
  /// - Throws: ``ClipError``
  public init(
    _ genie: Genie, folder: ClipFolder, keptIn url: URL, workers: Workers,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    let encoding = Encoding(genie, folder: folder, episodes: folder.episodes, workers: workers)
    let perFrame = encoding.tokensPerFrame
    tokensPerFrame = perFrame
    let fingerprint = genie.tokenFingerprint
    let origins = folder.shards.indices.map {
      "clips \(folder.fingerprint(ofShard: $0)) by models \(fingerprint)"
    }
    func file(_ index: Int) -> URL { url.appending(path: "tokens-\(index).safetensors") }
    func opened(_ index: Int) -> TokenShard? {
      TokenShard(
        file(index), frames: folder.shards[index].count, tokensPerFrame: perFrame,
        codes: genie.tokenizer.vocabulary, choices: genie.dynamics.configuration.actions,
        origin: origins[index])
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw ClipError.unwritable(.failed(path: url.path, reason: error.localizedDescription))
    }
    var done = 0
    for (number, group) in encoding.groups.enumerated() {
      if number % workers.counts.count == workers.rank {
        let missing = group.filter { opened($0) == nil }
        for (index, encoded) in zip(missing, encoding.encode(missing) { [done] in progress(done + $0) }) {
          do throws(AtomicFileError) {
            try TokenShard.write(
              tokens: encoded.tokens, actions: encoded.actions, origin: origins[index], to: file(index))
          } catch { throw ClipError.unwritable(error) }
        }
      }
      done += group.reduce(0) { $0 + folder.shards[$1].count }
      progress(done)
    }
    // The others' files are there when they have come to this, too.
    _ = workers.collective?.shared(0)
    shards = try folder.shards.indices.map { index in
      guard let shard = opened(index) else { throw ClipError.missing(path: file(index).path) }
      return shard
    }
    offsets = Self.offsets(shards)
  }

  private static func offsets(_ shards: [TokenShard]) -> [Int] {
    shards.reduce(into: [0]) { $0.append($0.last! + $1.count) }
  }

  /// Frames of all shards, and the number of one among them.
  var count: Int { offsets.last! }
  func place(_ shard: Int, _ frame: Int) -> Int { offsets[shard] + frame }

  /// `[range.count, tokens]`.
  public func tokens(_ shard: Int, _ range: Range<Int>) -> ArraySlice<Int32> {
    shards[shard].tokens(range)[...]
  }

  /// `[range.count]`: what led to each frame; no action at the first frame of an episode.
  public func actions(_ shard: Int, _ range: Range<Int>) -> ArraySlice<Int32> {
    shards[shard].actions(range)[...]
  }

  /// A clip's tokens and actions; what led to its first frame is not told.
  func clip(_ origin: ClipLoader.Origin, frames: Int) -> TokenClip {
    let range = origin.start..<origin.start + frames
    return TokenClip(
      tokens: tokens(origin.shard, range),
      actions: [Dynamics.noAction] + actions(origin.shard, range).dropFirst())
  }
}

/// Turns shards of clips into tokens, on all workers of this process.
private struct Encoding {
  typealias Encoded = (tokens: [UInt16], actions: [Int32])

  private let genie: Genie
  private let folder: ClipFolder
  private let episodes: [[ClipFolder.Episode]]
  private let workers: Workers
  /// How far back a code looks: the receptive field of the encoders.
  private let past: Int
  /// Frames that a worker encodes at a time, and about those that are encoded before they are written.
  private static let (chunk, group) = (64, 1 << 15)

  var tokensPerFrame: Int { genie.tokenizer.tokens }

  init(_ genie: Genie, folder: ClipFolder, episodes: [ClipFolder.Episode], workers: Workers) {
    self.genie = genie
    self.folder = folder
    self.workers = workers
    var byShard = [[ClipFolder.Episode]](repeating: [], count: folder.shards.count)
    for episode in episodes { byShard[episode.shard].append(episode) }
    self.episodes = byShard
    let (t, l) = (genie.configuration.tokenizer, genie.configuration.latentActions)
    let (tokenPast, actionPast) = (t.encoderBlocks * (t.window - 1), 1 + l.encoderBlocks * (l.window - 1))
    // Latent actions that see tokens look back over what these looked back over.
    past = l.tokenWidth == nil ? max(tokenPast, actionPast) : tokenPast + actionPast
  }

  /// Runs of shards that are worth being shared out among workers together.
  var groups: [[Int]] {
    var (groups, frames): ([[Int]], Int) = ([], Self.group)
    for (index, shard) in folder.shards.enumerated() {
      if frames >= Self.group {
        groups.append([])
        frames = 0
      }
      groups[groups.count - 1].append(index)
      frames += shard.count
    }
    return groups
  }

  /// Whole episodes in chunks, each with enough of its past that its codes are those of the whole.
  func encode(_ shards: [Int], progress: @escaping @Sendable (Int) -> Void) -> [Encoded] {
    let jobs = shards.enumerated().flatMap { place, shard in
      episodes[shard].flatMap { episode in
        stride(from: episode.frames.lowerBound, to: episode.frames.upperBound, by: Self.chunk).map {
          (place: place, episode: episode, range: $0..<min(episode.frames.upperBound, $0 + Self.chunk))
        }
      }
    }
    let results = Slots<(tokens: ArraySlice<Int32>, actions: [Int32])>(count: jobs.count)
    workers.run { [self] worker in
      let arena = Arena()
      var done = 0
      for index in stride(from: worker, to: jobs.count, by: workers.count) {
        let (_, episode, range) = jobs[index]
        arena.reset()
        let first = max(episode.frames.lowerBound, range.lowerBound - past)
        let frames = FrameBatch(
          clips: 1, time: range.upperBound - first, height: folder.height, width: folder.width,
          bytes: folder.shards[episode.shard].frames(first..<range.upperBound))
        let codes = genie.tokenizer.encode(frames, arena: arena)
        let led =
          [Dynamics.noAction] + (frames.time > 1 ? genie.latentActions.infer(frames, arena: arena) : [])
        let skipped = range.lowerBound - first
        results[index] = (codes[(skipped * tokensPerFrame)...], Array(led[skipped...]))
        done += range.count
        if worker == 0 { progress(done * workers.count) }
      }
    }
    var encoded = shards.map { shard -> Encoded in
      let frames = folder.shards[shard].count
      return (
        [UInt16](repeating: 0, count: frames * tokensPerFrame),
        [Int32](repeating: Dynamics.noAction, count: frames)
      )
    }
    for (job, result) in zip(jobs, results.all) {
      let (place, range) = (job.place, job.range)
      encoded[place].tokens.replaceSubrange(
        range.lowerBound * tokensPerFrame..<range.upperBound * tokensPerFrame,
        with: result.tokens.map { UInt16(truncatingIfNeeded: $0) })
      encoded[place].actions.replaceSubrange(range, with: result.actions)
    }
    return encoded
  }
}

extension Genie {
  /// Tells models apart whose tokens or latent actions may differ.
  var tokenFingerprint: String { Self.fingerprint([tokenizer.state, latentActions.state]) }

  /// Tells models apart by their values: FNV-1a, hexadecimal.
  static func fingerprint(_ states: [[String: Tensor]]) -> String {
    var hash = ContentHash()
    for state in states {
      for (_, tensor) in state.sorted(by: { $0.key < $1.key }) {
        hash.add(UnsafeRawBufferPointer(start: tensor.pointer, count: 4 * tensor.count))
      }
    }
    return hash.description
  }
}
