import Autograd
import NeuralNetwork

/// The video as the dynamics model sees it: tokens of every frame and the latent action that led to it.
struct TokenStore: Sendable {
  /// Frames are numbered as in the video; `[frames, tokens]`.
  let tokens: [Int32]
  /// `[frames]`; no action at the first frame of an episode.
  let actions: [Int32]
  let tokensPerFrame: Int

  /// Encodes whole episodes in chunks, each with enough of its past that its codes are those of the whole.
  init(_ genie: Genie, video: any TrainingVideo, workers: Workers, progress: @escaping @Sendable (Int) -> Void = { _ in }) {
    let count = genie.tokenizer.tokens
    let total = video.episodes.last?.upperBound ?? 0
    let chunk = 64
    let jobs = video.episodes.flatMap { episode in
      stride(from: episode.lowerBound, to: episode.upperBound, by: chunk).map {
        (episode: episode, range: $0..<min(episode.upperBound, $0 + chunk))
      }
    }
    let tokens = UnsafeMutableBufferPointer<Int32>.allocate(capacity: total * count)
    let actions = UnsafeMutableBufferPointer<Int32>.allocate(capacity: total)
    tokens.initialize(repeating: 0)
    actions.initialize(repeating: Dynamics.noAction)
    defer {
      tokens.deallocate()
      actions.deallocate()
    }
    nonisolated(unsafe) let (tokenTarget, actionTarget) = (tokens, actions)
    let t = genie.configuration.tokenizer
    let l = genie.configuration.latentActions
    let past = max(t.encoderBlocks * (t.window - 1), 1 + l.encoderBlocks * (l.window - 1))
    workers.run { worker in
      let arena = Arena()
      for index in stride(from: worker, to: jobs.count, by: workers.count) {
        let (episode, range) = jobs[index]
        arena.reset()
        let first = max(episode.lowerBound, range.lowerBound - past)
        let frames = FrameBatch(
          clips: 1, time: range.upperBound - first, height: video.height, width: video.width,
          bytes: video.frames(first..<range.upperBound))
        let codes = genie.tokenizer.encode(frames, arena: arena)
        let skipped = range.lowerBound - first
        for i in 0..<range.count * count {
          tokenTarget[range.lowerBound * count + i] = codes[skipped * count + i]
        }
        if frames.time > 1 {
          for (step, action) in genie.latentActions.infer(frames, arena: arena).enumerated()
          where first + step + 1 >= range.lowerBound { actionTarget[first + step + 1] = action }
        }
        if worker == 0 { progress(range.upperBound) }
      }
    }
    self.tokens = Array(tokens)
    self.actions = Array(actions)
    tokensPerFrame = count
  }

  /// A clip's tokens and actions; what led to its first frame is not told.
  func clip(_ range: Range<Int>) -> (tokens: ArraySlice<Int32>, actions: [Int32]) {
    var own = Array(actions[range])
    own[0] = Dynamics.noAction
    return (tokens[range.lowerBound * tokensPerFrame..<range.upperBound * tokensPerFrame], own)
  }
}
