import Autograd
import Environments
import NeuralNetwork
import Reporting
import Video
import WorldModel

/// How good a world is as a world of its game: what its actions mean, whether rewards are found, and how long dreams stay
/// frames of the game. It needs a judge that can read the game's frames; the models never see it.
public struct GameMeasurement: Sendable {
  /// How much is measured.
  public struct Effort: Sendable {
    /// Worlds that are played for long, and frames of each.
    public var worlds: Int
    public var frames: Int
    /// Starts that each action is played from.
    public var starts: Int

    public init(worlds: Int = 128, frames: Int = 300, starts: Int = 200) {
      self.worlds = worlds
      self.frames = frames
      self.starts = starts
    }
  }

  /// Who plays the worlds: given what they show and the number of the step, an action for each.
  public typealias Player = (_ batch: StepBatch, _ step: Int) -> [Int32]

  public var purity: ActionPurity?
  public var consistency: ActionConsistency?
  /// Nil for a world without odds of actions, or whose real actions are not known.
  public var barred: BarredActions?
  /// How well each reward and the end are found in the clips.
  public var rewards: [EventScore]
  public var play: FreePlay
  /// How far a place is remembered; nil where no two actions lead to the right and back.
  public var memory: PlaceMemory?
  /// Real frames, encoded and decoded.
  public var decoded: DecodedFrames
  /// Last frames of episodes, which show what hardly any other frame shows.
  public var decodedEnds: DecodedFrames
  /// Levels dreamt from nothing; nil for a world that was not trained for it.
  public var levels: DreamtLevels?
  /// What variety the real frames of one half have against those of the other: as much as can be hoped for.
  public var realVariety: Double
  /// Distribution of tiles in real frames, by name.
  public var tiles: [(name: String, share: Double)]

  private let world: World
  private let judge: any GameJudge
  private let clips: HeldOutClips
  private let effort: Effort
  private let workers: Workers
  private let distribution: [Double]

  /// Measures with uniformly random actions.
  /// - Parameters:
  ///   - folder: held-out video of the game.
  ///   - progress: told what is measured, and how much of it is done of how much.
  public init(
    _ world: World, folder: ClipFolder, judge: any GameJudge, effort: Effort = .init(), workers: Workers,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws {
    try world.check(folder)
    self.world = world
    self.judge = judge
    self.effort = effort
    self.workers = workers
    let episodes = folder.episodes
    progress("actions", 0, 2)
    let store = TokenStore(world.genie, folder: folder, workers: workers)
    purity = ActionPurity(
      store, folder: folder, episodes: episodes, actions: world.actions, judge: judge, workers: workers)
    rewards =
      world.rewards.map { EventScore.measure($0, store: store, folder: folder, episodes: episodes) } ?? []
    if let odds = world.odds, let map = world.manifest.actionMap, let purity {
      barred = BarredActions(
        odds, store: store, folder: folder, episodes: episodes, effects: purity.effects,
        map: map, judge: judge, workers: workers)
    }
    clips = try HeldOutClips(
      world, folder: folder, episodes: episodes, count: max(4 * effort.starts, 4 * effort.worlds),
      context: min(4, world.genie.configuration.dynamics.window), horizon: 1, workers: workers)
    progress("actions", 1, 2)
    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    consistency = try ActionConsistency(
      &pool, clips: clips, wanted: effort.starts, judge: judge, workers: workers)
    progress("actions", 2, 2)
    let scenes = (0..<clips.count).map { [clips] in judge.read(clips.frame($0, 0)) }
    let names = judge.tileNames
    distribution = FreePlay.tiles(scenes, names: names.count)
    tiles = zip(names, distribution).map { ($0, $1) }
    let halves = (0..<2).map { half in
      FreePlay.tiles(
        scenes.indices.filter { $0 % 2 == half }.map { scenes[$0] }, names: names.count)
    }
    realVariety = zip(halves[0], halves[1]).reduce(0) { $0 + min($1.0, $1.1) }
    decoded = DecodedFrames(
      world.genie.tokenizer, (0..<clips.count).map { [clips] in clips.frames.clips($0..<$0 + 1) },
      judge: judge, workers: workers)
    decodedEnds = DecodedFrames(
      world.genie.tokenizer,
      episodes.map { episode in
        let past = min(episode.frames.count, world.genie.configuration.tokenizer.window)
        return FrameBatch(
          clips: 1, time: past, height: folder.height, width: folder.width,
          bytes: folder.shards[episode.shard].frames(
            episode.frames.upperBound - past..<episode.frames.upperBound))
      }, onlyLast: true, judge: judge, workers: workers)
    if world.dreamsLevels {
      levels = try DreamtLevels(world, count: 256, judge: judge, real: distribution, workers: workers)
    }
    let starts = Self.starts(clips, judge: judge, worlds: effort.worlds)
    if let effects = consistency?.effects.map(\.effect),
      let right = effects.firstIndex(of: VisibleEffect(dx: 1, rises: false)),
      let left = effects.firstIndex(of: VisibleEffect(dx: -1, rises: false))
    {
      let lengths = Self.ways
      let steps = 3 * lengths.reduce(0, +)
      var dreams: any EnvironmentPool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
      memory = try PlaceMemory(
        &dreams, starts: starts, right: Int32(right), left: Int32(left), lengths: lengths,
        judge: judge
      ) { progress("memory", $0, steps) }
    }
    let key = RandomKey(seed: 0).folded(in: "free play")
    play = try Self.play(
      world, judge: judge, clips: clips, effort: effort, real: distribution, workers: workers, wrap: { $0 },
      player: { batch, step in
        (0..<batch.count).map {
          Int32(key.folded(in: UInt64(step)).integer(UInt64($0), below: world.actions))
        }
      }, progress: progress)
  }

  /// Frames of the ways on which it is measured whether a place is remembered.
  private static let ways = [2, 4, 6, 8, 10]

  /// The same worlds played by somebody else.
  /// - Parameter wrap: what to put around the pool, such as a stack of frames.
  public func play(
    wrap: (any EnvironmentPool) -> any EnvironmentPool, player: Player,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> FreePlay {
    try Self.play(
      world, judge: judge, clips: clips, effort: effort, real: distribution, workers: workers, wrap: wrap,
      player: player, progress: progress)
  }

  private static func play(
    _ world: World, judge: any GameJudge, clips: HeldOutClips, effort: Effort, real: [Double],
    workers: Workers, wrap: (any EnvironmentPool) -> any EnvironmentPool, player: Player,
    progress: (String, Int, Int) -> Void
  ) throws -> FreePlay {
    let starts = starts(clips, judge: judge, worlds: effort.worlds)
    let dreams = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    var pool = wrap(dreams)
    // What other actions than the world's own are in the game is not known.
    let keepsActions = pool.specification.actionSpace == dreams.specification.actionSpace
    return try FreePlay(
      &pool, starts: starts, frames: effort.frames, judge: judge, real: real, workers: workers,
      map: keepsActions ? world.manifest.actionMap : nil, choose: player,
      progress: { progress("free play", $0, effort.frames) })
  }

  /// Held-out frames in which the player is there and well.
  private static func starts(_ clips: HeldOutClips, judge: any GameJudge, worlds: Int) -> [ResetOptions] {
    (0..<clips.count).lazy.filter { row in
      let scene = judge.read(clips.frame(row, 0))
      return scene.isValid && !scene.isOver
    }.prefix(worlds).map { row in
      ResetOptions(
        seed: UInt64(row),
        prompt: Prompt(
          height: clips.frames.height, width: clips.frames.width, pixels: Array(clips.frame(row, 0))))
    }
  }

  /// The figures as JSON, to be put beside those of ``WorldMeasurement``.
  public var report: [String: JSONValue] {
    var report = play.report
    report["decoded_validity"] = .number(decoded.validity)
    report["decoded_end_validity"] = .number(decodedEnds.validity)
    report["variety_real"] = .number(realVariety)
    report["tiles_real"] = .object(
      Dictionary(tiles.dropFirst().map { ($0.name, .number($0.share)) }) { $1 })
    if let levels { report["dreamt_levels"] = .object(levels.report) }
    if let memory {
      report["memory"] = .object(
        Dictionary(
          memory.trips.map {
            ("\($0.frames)", ["worlds": .integer($0.worlds), "remembered": .number($0.remembered)])
          }
        ) { $1 })
    }
    if !rewards.isEmpty {
      report["reward_f1"] = .object(Dictionary(rewards.map { ($0.name, .number($0.f1)) }) { $1 })
    }
    if let purity {
      report["action_purity"] = .number(purity.accuracy)
      report["action_recall"] = .object(
        Dictionary(purity.recalls.map { ($0.key.name, .number($0.value)) }) { $1 })
    }
    if let barred { report["barred_actions"] = .object(barred.report) }
    if let consistency {
      report["action_consistency"] = .number(consistency.lowest)
      report["action_starts"] = .integer(consistency.starts)
      report["distinct_effects"] = .integer(consistency.distinctEffects)
      report["action_effects"] = .array(
        zip(consistency.effects, consistency.sharesAnywhere).map {
          ["effect": .string($0.effect.name), "share": .number($0.share), "share_anywhere": .number($1)]
        })
    }
    return report
  }
}

extension FreePlay {
  /// Every tenth frame.
  private func byFrame(_ values: [Double]) -> JSONValue {
    .object(
      Dictionary(
        uniqueKeysWithValues: stride(from: 0, to: values.count, by: 10).map { ("\($0)", .number(values[$0])) }
      ))
  }

  /// The figures as JSON.
  public var report: [String: JSONValue] {
    [
      "worlds": .integer(worlds), "validity": byFrame(validity), "variety": byFrame(variety),
      "over": byFrame(over),
      "flaws": .object(Dictionary(flaws.map { ($0.key.rawValue, byFrame($0.value)) }) { $1 }),
      "first_flaws": .object(
        Dictionary(firstFlaws.map { ($0.key.rawValue, .number($0.value)) }) { $1 }.merging([
          "after the end": .number(invalidAfterEnd)
        ]) { $1 }),
      "first_flaws_in_the_open": .number(invalidInTheOpen),
      "steps_by_outcome": .object(
        stepsByOutcome.mapValues {
          ["flawed": .integer($0.flawed), "over": .integer($0.over), "of": .integer($0.all)]
        }),
    ]
  }

  /// The moments in which worlds ceased to be the game's, a row each.
  public func failureSheet(rows: Int = 16) -> Picture {
    var sheet = ContactSheet(scale: 2, margin: 2)
    for failure in failures.prefix(rows) { sheet.append("\(failure.start)", failure.frames) }
    return sheet.picture()
  }
}
