import Autograd
import NeuralNetwork
import Video

/// One clip of the tokens of a video.
public struct TokenClip: Sendable {
  /// `[time, tokens]`.
  public var tokens: ArraySlice<Int32>
  /// `[time]`: what led to each frame.
  public var actions: [Int32]
  /// `[time]`: which actions video does not show in the place of each; empty where that is not known.
  var unseen: [[Int32]] = []

  public init(tokens: ArraySlice<Int32>, actions: [Int32]) {
    self.tokens = tokens
    self.actions = actions
  }

  var time: Int { actions.count }
}

/// The video as the dynamics model sees it: tokens of every frame and the latent action that led to it.
public struct TokenStore: Sendable {
  /// All shards, one after the other: `[frames, tokens]`.
  private let tokens: [Int32]
  /// `[frames]`; no action at the first frame of an episode.
  private let actions: [Int32]
  /// Where each shard's frames begin.
  private let offsets: [Int]
  public let tokensPerFrame: Int

  init(tokens: [Int32], actions: [Int32], offsets: [Int], tokensPerFrame: Int) {
    self.tokens = tokens
    self.actions = actions
    self.offsets = offsets
    self.tokensPerFrame = tokensPerFrame
  }

  /// Encodes whole episodes in chunks, each with enough of its past that its codes are those of the whole.
  /// - Parameters:
  ///   - episodes: those to encode; tokens of other frames are 0 and mean nothing.
  ///   - progress: told the number of frames done so far.
  public init(
    _ genie: Genie, folder: ClipFolder, episodes: [ClipFolder.Episode]? = nil, workers: Workers,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let count = genie.tokenizer.tokens
    var total = 0
    let offsets = folder.shards.map { shard in
      defer { total += shard.count }
      return total
    }
    let chunk = 64
    let jobs = (episodes ?? folder.episodes).flatMap { episode in
      stride(from: episode.frames.lowerBound, to: episode.frames.upperBound, by: chunk).map {
        (episode: episode, range: $0..<min(episode.frames.upperBound, $0 + chunk))
      }
    }
    let results = Slots<(tokens: ArraySlice<Int32>, actions: [Int32])>(count: jobs.count)
    let t = genie.configuration.tokenizer
    let l = genie.configuration.latentActions
    // How far back a code looks: the receptive field of the encoders.
    let past = max(t.encoderBlocks * (t.window - 1), 1 + l.encoderBlocks * (l.window - 1))
    workers.run { worker in
      let arena = Arena()
      var done = 0
      for index in stride(from: worker, to: jobs.count, by: workers.count) {
        let (episode, range) = jobs[index]
        arena.reset()
        let first = max(episode.frames.lowerBound, range.lowerBound - past)
        let frames = FrameBatch(
          clips: 1, time: range.upperBound - first, height: folder.height, width: folder.width,
          bytes: folder.shards[episode.shard].frames(first..<range.upperBound))
        let codes = genie.tokenizer.encode(frames, arena: arena)
        let led =
          [Dynamics.noAction] + (frames.time > 1 ? genie.latentActions.infer(frames, arena: arena) : [])
        let skipped = range.lowerBound - first
        results[index] = (codes[(skipped * count)...], Array(led[skipped...]))
        done += range.count
        if worker == 0 { progress(done * workers.count) }
      }
    }
    var tokens = [Int32](repeating: 0, count: total * count)
    var actions = [Int32](repeating: Dynamics.noAction, count: total)
    for ((episode, range), result) in zip(jobs, results.all) {
      let place = offsets[episode.shard] + range.lowerBound
      tokens.replaceSubrange(place * count..<(place + range.count) * count, with: result.tokens)
      actions.replaceSubrange(place..<place + range.count, with: result.actions)
    }
    self.tokens = tokens
    self.actions = actions
    self.offsets = offsets
    tokensPerFrame = count
  }

  /// Frames of all shards, and the number of one among them.
  var count: Int { actions.count }
  func place(_ shard: Int, _ frame: Int) -> Int { offsets[shard] + frame }

  /// `[range.count, tokens]`.
  public func tokens(_ shard: Int, _ range: Range<Int>) -> ArraySlice<Int32> {
    let place = offsets[shard]
    return tokens[(place + range.lowerBound) * tokensPerFrame..<(place + range.upperBound) * tokensPerFrame]
  }

  /// `[range.count]`: what led to each frame.
  public func actions(_ shard: Int, _ range: Range<Int>) -> ArraySlice<Int32> {
    actions[offsets[shard] + range.lowerBound..<offsets[shard] + range.upperBound]
  }

  /// A clip's tokens and actions; what led to its first frame is not told.
  func clip(_ origin: ClipLoader.Origin, frames: Int) -> TokenClip {
    let range = origin.start..<origin.start + frames
    return TokenClip(
      tokens: tokens(origin.shard, range),
      actions: [Dynamics.noAction] + actions(origin.shard, range).dropFirst())
  }
}
