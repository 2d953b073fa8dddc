import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video

struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measures a world on clips that it was not trained on.",
    discussion: """
      Dreams are sampled with the settings that are served, unless others are named. delta_psnr_t4 is what the inferred actions gain over \
      random ones at the fourth dreamt frame: how far the actions are in control.

      Of video of a built-in game the frames can be read, and more is measured. action_purity: balanced accuracy of \
      the best map from inferred actions to what was seen to happen (left, right or neither, rising or not), learned \
      on one half of the episodes and judged on the other. action_consistency: the least share, of all actions, of \
      its commonest effect when it is played once from held-out starts. validity: the share of worlds whose frame \
      could be one of the game's after so many frames of random actions, ends ignored, nothing reset. variety: how \
      far the tiles that are seen then are distributed as in the real game.
      """)

  @OptionGroup var world: WorldArgument

  @Option(help: ArgumentHelp("Clips to measure on: held-out video of the same kind.", valueName: "clips"))
  var clips: String

  @Option(help: ArgumentHelp("Windows to measure on.", valueName: "windows"))
  var count = 512

  @Option(
    help: ArgumentHelp(
      "Also draw contact sheets into this folder: clips, where worlds fail, and the moments of dreamt rewards and ends.",
      valueName: "folder"))
  var sheets: String?

  @Option(
    help: ArgumentHelp("Also let this policy play (NAME.policy.safetensors).", valueName: "file"))
  var policy: String?

  @Option(
    help: ArgumentHelp("Worlds that are played for long, where the game's frames can be read; 0 for none."))
  var worlds = 128

  @Option(help: ArgumentHelp("How long they are played.", valueName: "frames"))
  var frames = 300

  @Option(
    help: ArgumentHelp("Starts that each action is played from, where the game's frames can be read."))
  var starts = 200

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var sampling: SamplingOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !sampling.tellAge else {
      throw ValidationError("What is measured begins anywhere in its episodes: without --tell-age.")
    }
    guard (1...100_000).contains(count) else { throw ValidationError("--count is 1 to 100000.") }
    guard (0...1024).contains(worlds) else { throw ValidationError("--worlds is 0 to 1024.") }
    guard (1...10_000).contains(starts) else { throw ValidationError("--starts is 1 to 10000.") }
    guard (1...100_000).contains(frames) else { throw ValidationError("--frames is 1 to 100000.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let loaded = sampling.applied(to: try world.load()).ageless
    let folder = try ClipFolder(URL(filePath: clips))
    let threads = Workers(count: workers)
    let player = try player(in: loaded, of: folder, threads)
    let bar = ProgressBar("measure", total: count, unit: "clips", style: output.progressStyle)
    let measured = try WorldMeasurement(loaded, folder: folder, count: count, workers: threads) { done, _ in
      bar.update(to: done)
    }
    bar.finish()
    func decimal(_ value: Double) -> String { String(format: "%.2f", value) }
    var table = Table(["figure", "value"])
    table.append(["tokenizer PSNR", decimal(measured.tokenizerPSNR) + " dB"])
    table.append(["codes used", "\(measured.codesUsed)"])
    table.append(["token accuracy", decimal(measured.accuracy.all)])
    table.append(["changed-token accuracy", decimal(measured.accuracy.changed)])
    table.append(["action usage", measured.actionUsage.map(decimal).joined(separator: " ")])
    let same = Set(loaded.genie.latentActions.alike).filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    table.append([
      "actions that do the same",
      same.isEmpty
        ? "none" : same.map { $0.map(String.init).joined(separator: " and ") }.joined(separator: ", "),
    ])
    table.append(["rollout PSNR, t = 1...8", measured.rolloutPSNR.map(decimal).joined(separator: " ")])
    table.append(["with random actions", measured.randomPSNR.map(decimal).joined(separator: " ")])
    table.append(["real frames, decoded", measured.decodedPSNR.map(decimal).joined(separator: " ")])
    table.append(["the last known frame", measured.unchangedPSNR.map(decimal).joined(separator: " ")])
    let delta = measured.deltaPSNR
    table.append([
      "delta PSNR, t = 4", "\(decimal(delta.mean)) dB (95%: \(decimal(delta.low)) to \(decimal(delta.high)))",
    ])
    var report = measured.report
    let game = try measureGame(loaded, folder, player, threads, table: &table, report: &report)
    print(table)
    // What took long is kept before anything is drawn.
    try output.write(report)
    if let sheets {
      let target = URL(filePath: sheets)
      var drawn = try Sheets(loaded, folder: folder, workers: threads)
      _ = try drawn.write(to: target)
      try game?.draw(into: target)
      if loaded.rewards != nil {
        let events = try DreamtEvents(
          loaded, starts: (0..<64).map { ResetOptions(seed: $0) }, workers: threads)
        try PNG.write(events.sheet(), to: target.appending(path: "events.png"))
      }
    }
  }

  /// The agent that plays, too.
  private func player(in world: World, of folder: ClipFolder, _ threads: Workers) throws -> ActorCriticPolicy?
  {
    guard let policy else { return nil }
    guard worlds > 0, folder.judge != nil else {
      throw ValidationError(
        "--policy plays where the game's frames can be read: in video of a built-in game, with --worlds.")
    }
    let file = try PolicyFile(contentsOf: URL(filePath: policy))
    let player = ActorCriticPolicy(file.network, choice: .sampled, workers: threads)
    try player.check(GeneratedWorldPool(world, workers: threads).specification)
    return player
  }

  /// What can be measured only where the frames can be read.
  private func measureGame(
    _ world: World, _ folder: ClipFolder, _ player: ActorCriticPolicy?, _ threads: Workers,
    table: inout Table, report: inout JSONReport
  ) throws -> PlayedGame? {
    guard worlds > 0, let judge = folder.judge else { return nil }
    var bar: ProgressBar?
    var task = ""
    func show(_ name: String, _ done: Int, _ total: Int) {
      if name != task {
        bar?.finish()
        bar = ProgressBar(
          name, total: total, unit: name == "actions" ? "figures" : "frames", style: output.progressStyle)
        task = name
      }
      bar?.update(to: done)
    }
    let measured = try GameMeasurement(
      world, folder: folder, judge: judge, effort: .init(worlds: worlds, frames: frames, starts: starts),
      workers: threads, progress: show)
    for (name, value) in measured.report { report[name] = value }
    var plays = [("random", measured.play)]
    if let player {
      task = ""
      let key = RandomKey(seed: 0).folded(in: "policy")
      let played = try measured.play(
        wrap: { FrameStack($0, frames: player.frames) },
        player: { batch, step in
          let own = key.folded(in: UInt64(step))
          return player.actions(
            for: batch.observations, keys: (0..<batch.count).map { own.folded(in: UInt64($0)) })
        }, progress: show)
      report["policy"] = .object(played.report)
      plays.append(("policy", played))
    }
    bar?.finish()
    let game = PlayedGame(measurement: measured, plays: plays)
    game.fill(&table)
    return game
  }
}
