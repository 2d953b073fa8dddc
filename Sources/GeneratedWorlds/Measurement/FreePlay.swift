import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// What becomes of dreams that somebody plays for long: whether every frame could be a frame of the game (validity), and
/// whether as much is there to be seen as in the game (variety). Ends are ignored and nothing is reset.
public struct FreePlay: Sendable {
  /// Share of the worlds whose frame is valid, by frame; frame 0 is the start.
  public var validity: [Double] = []
  /// Overlap, 0...1, of the distribution of tiles (empty ones left out) with that of real frames, by frame.
  public var variety: [Double] = []
  /// Share of the worlds with each flaw, by frame.
  public var flaws: [GameScene.Flaw: [Double]] = [:]
  /// Share of the worlds in which the player was seen to die or to win before, by frame.
  public var over: [Double] = []
  /// Of the worlds that became invalid, the share that did so after the player was seen to die or to win.
  public var invalidAfterEnd: Double = 0
  /// The share that did so where nothing was in the way and no end was near: there the model has no excuse.
  public var invalidInTheOpen: Double = 0
  /// The same for each flaw, of those that became invalid while the player lived.
  public var firstFlaws: [GameScene.Flaw: Double] = [:]
  /// Steps from valid frames in which the player was neither dead nor had won, by what the game makes of the action there: what ends the
  /// episode, or ``goesOn``. Empty where it is not known what the actions are in the game.
  public var stepsByOutcome: [String: Steps] = [:]
  /// The frames around the first invalid one, of some worlds.
  public var failures: [(start: Int, frames: [Picture])] = []
  public var worlds: Int

  /// Some steps.
  public struct Steps: Sendable, Equatable {
    /// Those that led to frames that are none of the game's.
    public var flawed = 0
    /// Those that led to valid frames in which the player is dead or has won.
    public var over = 0
    public var all = 0
  }

  /// Of ``stepsByOutcome``, those that end nothing.
  public static let goesOn = "goes on"

  /// Frames before and after the first invalid one that ``failures`` keep.
  private static let (before, after) = (7, 4)

  /// - Parameters:
  ///   - pool: of frames that `judge` reads; where it stacks frames, the newest is judged.
  ///   - starts: one for each world.
  ///   - real: the distribution of tiles in real frames.
  ///   - map: from the world's actions to those of the game.
  ///   - choose: the actions of all worlds, given what they show and the number of the step.
  init(
    _ pool: inout any EnvironmentPool, starts: [ResetOptions], frames: Int, judge: any GameJudge,
    real: [Double], workers: Workers, map: ActionMap? = nil, choose: (StepBatch, Int) -> [Int32],
    progress: (Int) -> Void = { _ in }
  ) throws(EnvironmentError) {
    worlds = starts.count
    var slots: [Slot] = []
    defer { for slot in slots { pool.close(slot) } }
    for _ in starts { slots.append(try pool.open(OpenOptions(horizon: frames + 1))) }
    var batch = pool.makeBatch()
    try pool.reset(slots, starts, into: &batch)
    var records = [Record](repeating: Record(), count: starts.count)
    for frame in 0...frames {
      let actions = frame > 0 ? choose(batch, frame - 1) : []
      if frame > 0 { try pool.step(slots, actions, into: &batch) }
      for case let fault? in batch.faults { throw fault }
      let scenes = Slots<(scene: GameScene, picture: Picture)>(count: starts.count)
      workers.run { [batch, count = workers.count] worker in
        for row in stride(from: worker, to: batch.count, by: count) {
          let picture = batch.newestFrame(row)
          scenes[row] = (judge.read(picture.pixels), picture)
        }
      }
      let seen = scenes.all
      if let map, frame > 0 { count(seen.map(\.scene), after: actions.map { map($0) }, judge, records) }
      add(seen, frame: frame, judge: judge, real: real, to: &records)
      progress(frame)
    }
    let failed = records.filter { $0.firstFlaw != nil }
    invalidAfterEnd = share(failed.count { $0.wasOver }, of: failed.count)
    invalidInTheOpen = share(failed.count { $0.wasInTheOpen }, of: failed.count)
    for flaw in GameScene.Flaw.allCases {
      firstFlaws[flaw] = share(failed.count { !$0.wasOver && $0.firstFlaw == flaw }, of: failed.count)
    }
    failures = failed.sorted { $0.firstFrame < $1.firstFrame }.map { ($0.firstFrame, $0.pictures) }
  }

  /// What is kept of one world.
  private struct Record {
    var isOver = false
    /// The last frame, where it is valid and the player lives.
    var scene: GameScene?
    var firstFlaw: GameScene.Flaw?
    var firstFrame = 0
    /// Whether it was over when the first flaw was seen.
    var wasOver = false
    /// Whether every effect was possible in the last valid frame.
    var wasInTheOpen = false
    var pictures: [Picture] = []
  }

  /// - Parameter actions: the game's, which led to the scenes.
  private mutating func count(
    _ scenes: [GameScene], after actions: [Int32], _ judge: any GameJudge, _ records: [Record]
  ) {
    for (row, scene) in scenes.enumerated() {
      guard let outcome = records[row].scene.flatMap({ judge.outcome(of: actions[row], in: $0) }) else {
        continue
      }
      let name = outcome.terminated ? outcome.cause ?? "end" : Self.goesOn
      stepsByOutcome[name, default: Steps()].all += 1
      if !scene.isValid {
        stepsByOutcome[name]!.flawed += 1
      } else if scene.isOver {
        stepsByOutcome[name]!.over += 1
      }
    }
  }

  private mutating func add(
    _ seen: [(scene: GameScene, picture: Picture)], frame: Int, judge: any GameJudge, real: [Double],
    to records: inout [Record]
  ) {
    for (row, (scene, picture)) in seen.enumerated() {
      if records[row].firstFlaw == nil || frame <= records[row].firstFrame + Self.after {
        records[row].pictures.append(picture)
      }
      if records[row].firstFlaw == nil {
        records[row].firstFlaw = scene.flaws.first
        records[row].firstFrame = frame
        records[row].wasOver = records[row].isOver
        if records[row].pictures.count > Self.before + 1 { records[row].pictures.removeFirst() }
      }
      if scene.isOver { records[row].isOver = true }
      records[row].scene = scene.isValid && !records[row].isOver ? scene : nil
      if records[row].firstFlaw == nil { records[row].wasInTheOpen = judge.allowsEveryEffect(scene) }
    }
    validity.append(share(seen.count { $0.scene.isValid }, of: seen.count))
    over.append(share(records.count { $0.isOver }, of: seen.count))
    for flaw in GameScene.Flaw.allCases {
      flaws[flaw, default: []].append(share(seen.count { $0.scene.flaws.contains(flaw) }, of: seen.count))
    }
    let tiles = Self.tiles(seen.map(\.scene), names: judge.tileNames.count)
    variety.append(zip(tiles, real).reduce(0) { $0 + min($1.0, $1.1) })
  }

  private func share(_ count: Int, of all: Int) -> Double { Double(count) / Double(max(1, all)) }

  /// How often each tile is seen, as a share; the first, which is the empty one, and unreal ones are left out.
  static func tiles(_ scenes: [GameScene], names: Int) -> [Double] {
    var counts = [Int](repeating: 0, count: names)
    for scene in scenes {
      for tile in scene.tiles where tile != GameScene.unreal && tile != 0 { counts[Int(tile)] += 1 }
    }
    let all = counts.reduce(0, +)
    return counts.map { Double($0) / Double(max(1, all)) }
  }
}

extension StepBatch {
  /// The picture a row shows; of stacked frames the newest.
  func newestFrame(_ row: Int) -> Picture {
    let space = observationSpace
    var pixels = [UInt8](repeating: 0, count: space.height * space.width * 3)
    let bytes = observation(row)
    let skipped = bytes.startIndex + space.channels - 3
    for pixel in 0..<space.height * space.width {
      for channel in 0..<3 { pixels[pixel * 3 + channel] = bytes[skipped + pixel * space.channels + channel] }
    }
    return Picture(height: space.height, width: space.width, pixels: pixels)
  }
}
