import Autograd
import Environments
import NeuralNetwork
import Reporting
import Video
import WorldModel

/// Levels that a world dreamt from nothing, one for each seed: how many of them are different, and how many could be the
/// game's.
public struct DreamtLevels: Sendable {
  public let pictures: [Picture]
  /// Different pictures, as a share of all.
  public var distinct: Double
  /// Share of the pictures that are frames of the game; nil without a judge.
  public var validity: Double?
  /// Overlap of the distribution of tiles with that of real frames; nil without a judge.
  public var variety: Double?

  /// - Parameters:
  ///   - count: levels.
  ///   - real: the distribution of tiles in real frames, for a judge.
  init(
    _ world: World, count: Int, judge: (any GameJudge)?, real: [Double], workers: Workers
  ) throws(EnvironmentError) {
    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards(), levelSampling: .level)
    var pictures: [Picture] = []
    var batch = pool.makeBatch()
    let slot = try pool.open(OpenOptions())
    for seed in 0..<UInt64(count) {
      try pool.reset([slot], [ResetOptions(seed: seed)], into: &batch)
      if let fault = batch.faults[0] { throw fault }
      pictures.append(batch.newestFrame(0))
    }
    self.pictures = pictures
    distinct = Double(Set(pictures.map(\.pixels)).count) / Double(max(1, count))
    guard let judge else { return }
    let scenes = pictures.map { judge.read($0.pixels) }
    validity = Double(scenes.count { $0.isValid }) / Double(max(1, count))
    let tiles = FreePlay.tiles(scenes, names: judge.tileNames.count)
    variety = zip(tiles, real).reduce(0) { $0 + min($1.0, $1.1) }
  }

  /// The first of them.
  public func sheet(rows: Int = 4, columns: Int = 8) -> Picture {
    var sheet = ContactSheet(scale: 2, margin: 3)
    for row in 0..<rows {
      sheet.append("", Array(pictures.dropFirst(row * columns).prefix(columns)))
    }
    return sheet.picture()
  }

  public var report: [String: JSONValue] {
    var report: [String: JSONValue] = ["count": .integer(pictures.count), "distinct": .number(distinct)]
    if let validity { report["validity"] = .number(validity) }
    if let variety { report["variety"] = .number(variety) }
    return report
  }
}
