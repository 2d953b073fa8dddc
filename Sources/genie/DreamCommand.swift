import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import Reporting
import Video
import WorldModel

struct DreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dream",
    abstract:
      "Makes a world from videos in one go: imports, trains, measures, and shows what the actions do.",
    discussion: """
      Each INPUT is what 'genie import' takes: a video file, a folder of videos or a folder of PNG pictures. The size of \
      the models follows from what the video looks like. Clips go to WORLD.clips, checkpoints and sheets to \
      WORLD.training; the same command again goes on with what was interrupted.
      """)

  @Argument(help: "Video files, or folders of pictures or videos.")
  var inputs: [String]

  @Option(help: ArgumentHelp("The world to make, a folder.", valueName: "world"))
  var out: String

  @Option(help: "Minutes for everything together.")
  var minutes = 30.0

  @Option(help: "Frames a second; without it the file's own rate, or 15 where that is higher.")
  var fps: Double?

  @Option(help: "How a picture becomes a square: crop keeps the middle, stretch squeezes all of it.")
  var fit = ImportOptions.Fit.crop

  @Option(help: "Determines initial values, batches and masks.")
  var seed: UInt64 = 1

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var settings: SettingOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !inputs.isEmpty else { throw ValidationError("Name at least one video or folder.") }
    guard minutes >= 0.5, minutes < 100_000 else { throw ValidationError("--minutes is 0.5 or more.") }
    if let fps, !(fps > 0 && fps <= 1000) {
      throw ValidationError("--fps is above 0 and at most 1000, not \(fps).")
    }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let started = ContinuousClock.now
    let place = URL(filePath: out.hasSuffix("/") ? String(out.dropLast()) : out)
    let manager = FileManager.default
    guard !manager.fileExists(atPath: place.appending(path: "world.json").path) else {
      throw TrainingError.unusable("\(out): this world is there already; choose another --out or remove it")
    }
    let clips = try clips(place.appendingPathExtension("clips"))
    let footage = Footage(clips)
    var (model, training) = footage.recipe
    model = try settings.applied(to: model, named: "model")
    training = try settings.applied(to: training.fitting(model), named: "training")
    print(
      "\(footage.frames) frames, \(decimal(footage.detail)) bits a pixel (\(footage.isFlat ? "flat" : "textured")), "
        + "motion of \(decimal(footage.motion)) pixels a frame: \(model.tokenizer.codebook.codes) codes, dynamics of "
        + "width \(model.dynamics.channels) and \(model.dynamics.blocks) blocks")

    // Measuring and drawing take what is left.
    let spent = Double((ContinuousClock.now - started).components.seconds) / 60
    let threads = Workers(count: workers)
    let checkpoints = place.appendingPathExtension("training")
    let making = WorldTraining(
      name: place.deletingPathExtension().lastPathComponent, command: command, seed: seed,
      minutes: max(0.3, 0.93 * minutes - spent), model: model, configuration: training)
    let (made, _, heldOut) = try making.run(
      clips: clips, folder: checkpoints, workers: threads, showsProgress: !output.quiet)
    let world = made.named(try made.namesOfActions(workers: threads))
    try world.save(to: place)
    for file in try manager.contentsOfDirectory(at: checkpoints, includingPropertiesForKeys: nil)
    where file.pathExtension == "safetensors" || file.lastPathComponent == "tokens" {
      try manager.removeItem(at: file)
    }

    let measured = try WorldMeasurement(world, folder: clips, episodes: heldOut, count: 96, workers: threads)
    let sheet = try ActionSheet(world, workers: threads)
    let actions = checkpoints.appending(path: "actions.png")
    try PNG.write(sheet.picture, to: actions)
    report(measured, sheet.names, actions)
    var figures = measured.report
    figures["dream", "world"] = .string(out)
    figures["dream", "action_names"] = .array(sheet.names.map { .string($0) })
    try output.write(figures)
    var sheets = try Sheets(world, folder: clips, episodes: heldOut, workers: threads)
    _ = try sheets.write(to: checkpoints.appending(path: "sheets"))
  }

  /// Imports, unless an earlier run did.
  private func clips(_ target: URL) throws -> ClipFolder {
    let settings = [
      "inputs": inputs.map { URL(filePath: $0).standardizedFileURL.path }.joined(separator: ", "),
      "fps": fps.map { "\($0)" } ?? "the file's", "fit": fit.rawValue,
    ]
    if FileManager.default.fileExists(atPath: target.path) {
      try KeptSettings.check(settings, in: target)
      return try ClipFolder(target)
    }
    let bar = ProgressBar("import", total: nil, unit: "frames", style: output.progressStyle)
    let options = ImportOptions(
      size: 64, framesPerSecond: fps, highestFramesPerSecond: fps == nil ? 15 : nil, fit: fit)
    let threads = workers > 0 ? workers : ProcessInfo.processInfo.activeProcessorCount
    let report = try VideoImport(options, workers: threads).run(
      inputs.map { URL(filePath: $0) }, to: target, resumes: true
    ) { progress in
      bar.total = progress.expected
      bar.update(to: progress.frames)
    }
    bar.finish()
    let total = report.total
    print(
      "kept \(total.kept) of \(total.read) frames in \(total.episodes) episodes (dropped: \(total.droppedBlack) black, "
        + "\(total.droppedFrozen) frozen, \(total.droppedShort) in runs too short; \(total.cuts) cuts)")
    try KeptSettings.check(settings, in: target)
    if let sheet = report.sheet() {
      try PNG.write(sheet, to: target.appending(path: "dropped.png"))
    }
    return try ClipFolder(target)
  }

  private func report(_ measured: WorldMeasurement, _ names: [String], _ actions: URL) {
    var table = Table(["on held-out clips", "value"])
    table.append(["tokenizer PSNR", decimal(measured.tokenizerPSNR) + " dB"])
    table.append(["rollout PSNR, t = 4", decimal(measured.rolloutPSNR[3]) + " dB"])
    table.append([
      "delta PSNR, t = 4 (what the actions decide)", decimal(measured.deltaPSNR.mean) + " dB",
    ])
    for (action, name) in names.enumerated() {
      let share = String(format: "%.0f", 100 * measured.actionUsage[action])
      table.append(["action \(action), \(name)", "\(share)% of the video"])
    }
    print(table)
    print(
      """
      world: \(out)
      what each action does: \(actions.relativePath)
      serve it to agents: genie serve \(out)
      let an agent learn in it: PPOAgent --endpoint tcp://127.0.0.1:5555 --out agent
      see a clip dreamt again: genie regenerate \(out).clips --world \(out) --out again.gif
      """)
  }

  private func decimal(_ value: Double) -> String { String(format: "%.1f", value) }

  /// The command as somebody else would type it.
  private var command: String {
    let names = inputs.map { URL(filePath: $0).lastPathComponent }.joined(separator: " ")
    var parts = ["genie dream \(names) --minutes \(minutes) --seed \(seed)"]
    if let fps { parts.append("--fps \(fps)") }
    parts += settings.settings.map { "--set \($0)" }
    return parts.joined(separator: " ")
  }
}
