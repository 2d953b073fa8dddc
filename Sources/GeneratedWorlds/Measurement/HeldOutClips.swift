import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// Clips to measure on: windows that cross no cut, each with its tokens and inferred latent actions.
struct HeldOutClips: Sendable {
  /// Known frames that a dream starts from, and frames after them.
  let context: Int
  let horizon: Int
  let frames: FrameBatch
  /// `[clips, context + horizon - 1]`: the latent action between successive frames.
  let actions: [[Int32]]

  /// - Parameters:
  ///   - count: windows, or as many as there are: a window that is told twice tells no more.
  ///   - horizon: frames after the context, or as many of them as the longest episode has.
  ///   - least: that must be there; all of the horizon if none is named.
  init(
    _ world: World, folder: ClipFolder, episodes: [ClipFolder.Episode], count: Int, context: Int,
    horizon wanted: Int, least: Int? = nil, workers: Workers
  ) throws(ClipError) {
    let longest = episodes.map(\.frames.count).max() ?? 0
    let horizon = max(least ?? wanted, min(wanted, longest - context))
    self.context = context
    self.horizon = horizon
    let loader = try ClipLoader(
      folder, episodes: episodes, frames: context + horizon, batchSize: count, seed: 1)
    // A batch of more windows than there are begins with each of them once.
    let count = min(count, loader.windowCount)
    let frames = FrameBatch(
      clips: count, time: context + horizon, height: folder.height, width: folder.width,
      bytes: loader.read(Array(loader.origins(0).prefix(count))).frames)
    self.frames = frames
    let inferred = Slots<[Int32]>(count: count)
    workers.run { [workerCount = workers.count] worker in
      let arena = Arena()
      for clip in stride(from: worker, to: count, by: workerCount) {
        arena.reset()
        inferred[clip] = world.genie.latentActions.infer(frames.clips(clip..<clip + 1), arena: arena)
      }
    }
    actions = inferred.all
  }

  var count: Int { frames.clips }

  func frame(_ clip: Int, _ time: Int) -> ArraySlice<UInt8> {
    let start = (clip * frames.time + time) * frames.frameSize
    return frames.bytes[start..<start + frames.frameSize]
  }

  func picture(_ clip: Int, _ time: Int) -> Picture {
    Picture(height: frames.height, width: frames.width, pixels: Array(frame(clip, time)))
  }

  /// The first frames of a clip, as a pool takes them.
  func prompt(_ clip: Int) -> Prompt {
    Prompt(
      frames: context, height: frames.height, width: frames.width,
      pixels: (0..<context).flatMap { frame(clip, $0) })
  }
}
