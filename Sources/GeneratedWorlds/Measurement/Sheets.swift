import Autograd
import Environments
import Foundation
import NeuralNetwork
import Video
import WorldModel

/// Pictures by which a person judges a world.
public struct Sheets {
  private let world: World
  private let clips: HeldOutClips
  private var pool: GeneratedWorldPool

  /// - Parameter episodes: those to show; nil takes all.
  public init(
    _ world: World, folder: ClipFolder, episodes: [ClipFolder.Episode]? = nil, workers: Workers
  ) throws {
    try world.check(folder)
    self.world = world
    let window = world.genie.configuration.dynamics.window
    clips = try HeldOutClips(
      world, folder: folder, episodes: episodes ?? folder.episodes, count: 4, context: min(4, window),
      horizon: 12, least: 4, workers: workers)
    pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
  }

  /// Real frames, the same through the tokenizer, dreamt with inferred actions, and each action held from one start.
  public mutating func clip(_ row: Int) throws -> Picture {
    let context = clips.context
    let columns = (0..<context + clips.horizon).map { $0 < context ? "start" : "+\($0 - context + 1)" }
    var sheet = ContactSheet(scale: 2, margin: 3, columns: columns)
    let start = (0..<context).map { clips.picture(row, $0) }
    sheet.append("real", (0..<clips.frames.time).map { clips.picture(row, $0) })
    let arena = Arena()
    let one = clips.frames.clips(row..<row + 1)
    let codes = world.genie.tokenizer.encode(one, arena: arena)
    let decoded = world.genie.tokenizer.decode(codes, clips: 1, time: one.time, arena: arena)
    sheet.append("decoded", (0..<one.time).map { decoded.picture($0) })
    var choices = [Array(clips.actions[row][(context - 1)...])]
    var labels = ["dreamt"]
    for action in 0..<world.actions {
      choices.append([Int32](repeating: Int32(action), count: clips.horizon))
      labels.append(
        world.manifest.actionNames.isEmpty
          ? "action \(action)" : "\(action) \(world.manifest.actionNames[action])")
    }
    let dreamt = try Rollout(
      &pool, clips: clips, rows: [Int](repeating: row, count: choices.count), actions: choices)
    for (label, frames) in zip(labels, dreamt.frames) { sheet.append(label, start + frames.map(picture)) }
    return sheet.picture()
  }

  /// Writes all sheets into a folder, which is made where it is missing.
  public mutating func write(to folder: URL) throws -> [URL] {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return try (0..<clips.count).map { row in
      let file = folder.appending(path: "clip-\(row + 1).png")
      try PNG.write(try clip(row), to: file)
      return file
    }
  }

  private func picture(_ bytes: [UInt8]) -> Picture {
    Picture(height: clips.frames.height, width: clips.frames.width, pixels: bytes)
  }
}
