import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// A real clip turned into its first frame and a list of latent actions, and dreamt again from these alone (Genie, section
/// 3.2): all that the world model keeps of a video.
public struct Regeneration: Sendable {
  /// The frames of the clip.
  public let real: [Picture]
  /// What was dreamt from the first frame and the actions; as many frames, the first as the tokenizer shows it.
  public let dreamt: [Picture]
  /// The same with some of the actions changed; nil where none was.
  public let changed: [Picture]?
  /// What led from each frame to the next.
  public let actions: [Int32]
  public let changedActions: [Int32]
  /// dB of each dreamt frame against the real one.
  public let psnr: [Double]

  /// - Parameters:
  ///   - clip: `[1, time, height, width, 3]` of the world's size, at least two frames.
  ///   - changes: other actions for some of the steps, by the number of the frame that they lead to.
  public init(
    _ world: World, clip: FrameBatch, changes: [Int: Int32] = [:], workers: Workers
  ) throws(EnvironmentError) {
    precondition(clip.clips == 1 && clip.time > 1, "\(clip.clips) clips of \(clip.time) frames")
    let pictures = (0..<clip.time).map { clip.picture($0) }
    let inferred = world.genie.latentActions.infer(clip, arena: Arena())
    let other = inferred.indices.map { changes[$0 + 1] ?? inferred[$0] }
    let stories = other == inferred ? [inferred] : [inferred, other]
    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    var slots: [Slot] = []
    for _ in stories { slots.append(try pool.open(OpenOptions(horizon: clip.time))) }
    var batch = pool.makeBatch()
    let prompt = Prompt(height: clip.height, width: clip.width, pixels: pictures[0].pixels)
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0, prompt: prompt) }, into: &batch)
    var frames = [[Picture]](repeating: [], count: stories.count)
    for step in 0..<clip.time {
      if step > 0 { try pool.step(slots, stories.map { $0[step - 1] }, into: &batch) }
      for row in stories.indices {
        if let fault = batch.faults[row] { throw fault }
        frames[row].append(batch.newestFrame(row))
      }
    }
    real = pictures
    dreamt = frames[0]
    changed = frames.count > 1 ? frames[1] : nil
    actions = inferred
    changedActions = other
    psnr = zip(real, dreamt).map {
      Fidelity.psnr(meanSquaredError: Fidelity.meanSquaredError($0.pixels, $1.pixels))
    }
  }

  /// Side by side: what was real, what was dreamt, and what was dreamt with other actions; below each what is done.
  public func frames(names: [String], scale: Int = 4) -> [Picture] {
    real.indices.map { frame in
      var columns: [(Picture, String)] = [
        (real[frame], "real"), (dreamt[frame], name(frame, actions, names)),
      ]
      if let changed { columns.append((changed[frame], name(frame, changedActions, names))) }
      var sheet = ContactSheet(scale: scale, margin: 6, columns: columns.map(\.1))
      sheet.append("", columns.map(\.0))
      return sheet.picture()
    }
  }

  private func name(_ frame: Int, _ actions: [Int32], _ names: [String]) -> String {
    guard frame > 0 else { return "start" }
    let action = Int(actions[frame - 1])
    return names.indices.contains(action) && !names[action].isEmpty
      ? "\(action) \(names[action])" : "\(action)"
  }

  /// All stories in one picture, a row each, with every n-th frame.
  public func sheet(columns: Int = 16) -> Picture {
    let step = max(1, (real.count + columns - 1) / columns)
    let shown = Array(stride(from: 0, to: real.count, by: step))
    var sheet = ContactSheet(scale: 2, margin: 3, columns: shown.map { "\($0)" })
    sheet.append("real", shown.map { real[$0] })
    sheet.append("dreamt", shown.map { dreamt[$0] })
    if let changed { sheet.append("changed", shown.map { changed[$0] }) }
    return sheet.picture()
  }
}
