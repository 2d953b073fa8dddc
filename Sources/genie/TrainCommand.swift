import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import MessagePassing
import Reporting
import Video
import WorldModel

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract:
      "Learns a world from video: tokenizer, latent actions, dynamics, and rewards where they are labelled.",
    discussion: """
      CLIPS is what 'genie record' or 'genie import' made. Checkpoints and TensorBoard events go to \
      WORLD.training; a run that was interrupted goes on with --resume. Actions in the clips are used for at \
      most 200 transitions, to name what was found; rewards and ends of at most 200 episodes.

      'mpirun -n 4 genie train ...' trains with four processes, on one machine or several that see the same folders: \
      what comes of it is what one process with as many workers would have made.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The clips to learn from: one folder or several.", valueName: "clips"))
  var clips: [String]

  @Option(help: ArgumentHelp("The world to make, a folder.", valueName: "world"))
  var out: String

  @Option(
    help:
      "The size of the models: \(GenieConfiguration.presets.keys.sorted().joined(separator: ", ")); tiny, or that of the world that models are taken from."
  )
  var preset: String?

  @Option(help: "Minutes for all stages together; without it, the preset's number of steps.")
  var minutes: Double?

  @Flag(help: "Go on with an interrupted run, of the same clips, seed and settings.")
  var resume = false

  @Option(help: "Determines initial values, batches and masks.")
  var seed: UInt64 = 1

  @Option(help: "Threads of a process; 0 takes one for each processor.")
  var workers = 0

  @Option(help: "The world's name; that of the folder if none is given.")
  var name: String?

  @Option(
    help: ArgumentHelp(
      "Take the tokenizer and the latent actions of this world, and train the rest.", valueName: "world"))
  var tokensOf: String?

  @Option(
    help: ArgumentHelp(
      "Take the dynamics of this world, too, and train the rest: rewards, and the odds of actions, each unless its steps are set to 0.",
      valueName: "world"))
  var dynamicsOf: String?

  @Option(
    help: ArgumentHelp(
      "Begin with all models of this world, and train only its dynamics, further; model.dynamics.window may be set longer.",
      valueName: "world"))
  var from: String?

  @OptionGroup var precision: PrecisionOptions

  @OptionGroup var settings: SettingOptions

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let preset, GenieConfiguration.presets[preset] == nil {
      let known = GenieConfiguration.presets.keys.sorted().joined(separator: ", ")
      throw ValidationError("No preset '\(preset)'; there are: \(known).")
    }
    guard !clips.isEmpty else { throw ValidationError("--clips names at least one folder.") }
    guard minutes.map({ $0 > 0 && $0 < 100_000 }) ?? true else {
      throw ValidationError("--minutes is more than 0.")
    }
    guard [tokensOf, dynamicsOf, from].count(where: { $0 != nil }) <= 1 else {
      throw ValidationError(
        "--tokens-of, --dynamics-of and --from name one world to take models of: give one of them.")
    }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let collective = try MessagePassing.join()
    defer { MessagePassing.leave() }
    do {
      try run(collective)
    } catch {
      guard let collective else { throw error }
      MessagePassing.abort(error, of: collective)
    }
  }

  private func run(_ collective: (any Collective)?) throws {
    let world = URL(filePath: out)
    let checkpoints = URL(filePath: out.hasSuffix("/") ? String(out.dropLast()) : out).appendingPathExtension(
      "training")
    let manager = FileManager.default
    if manager.fileExists(atPath: world.appending(path: "world.json").path) {
      throw TrainingError.unusable("\(out): this world is there already; choose another --out or remove it")
    }
    let unfinished = ((try? manager.contentsOfDirectory(atPath: checkpoints.path)) ?? []).contains {
      $0.hasSuffix(".safetensors")
    }
    if unfinished && !resume {
      throw TrainingError.unusable(
        "\(checkpoints.path): holds an unfinished run; go on with --resume, or remove the folder")
    }
    let folder = try ClipFolder(clips.map { URL(filePath: $0) })
    let threads = Workers(count: workers, collective: collective)
    let other = try (tokensOf ?? dynamicsOf ?? from).map { try World(URL(filePath: $0)) }
    let model = try settings.applied(to: model(beside: other), named: "model")
    var configuration =
      other?.manifest.training?.configuration ?? TrainingConfiguration().fitting(model)
    configuration.precision = precision.precision
    var training = WorldTraining(
      name: name ?? world.deletingPathExtension().lastPathComponent, command: command, seed: seed,
      minutes: minutes, model: model,
      configuration: try settings.applied(to: configuration, named: "training"))
    training.taken = other.map {
      (tokensOf != nil ? .tokens : dynamicsOf != nil ? .dynamics : .beginning, $0)
    }
    let (made, scores, heldOut) = try training.run(
      clips: folder, folder: checkpoints, workers: threads, showsProgress: !output.quiet)
    // The others have done their part.
    guard threads.rank == 0 else { return }
    try made.save(to: world)
    for file in try manager.contentsOfDirectory(at: checkpoints, includingPropertiesForKeys: nil)
    where file.pathExtension == "safetensors" || file.lastPathComponent == "tokens" {
      try manager.removeItem(at: file)
    }
    var table = Table(["stage", "steps", "seconds", "held-out figures"])
    for stage in made.manifest.training?.stages ?? [] {
      let figures = stage.figures.sorted { $0.key < $1.key }.map {
        "\($0.key) \(String(format: "%.3f", $0.value))"
      }
      table.append([
        stage.name, "\(stage.steps)", String(format: "%.0f", stage.seconds), figures.joined(separator: "  "),
      ])
    }
    print(table)
    try output.write(
      JSONReport([
        "train": [
          "world": .string(out), "clips": .array(clips.map { .string($0) }),
          "preset": .string(preset ?? "tiny"),
          "seed": .string("\(seed)"),
          "stages": .array(
            (made.manifest.training?.stages ?? []).map { stage in
              .object([
                "name": .string(stage.name), "steps": .integer(stage.steps),
                "seconds": .number(stage.seconds),
                "figures": .object(stage.figures.mapValues { .number($0) }),
              ])
            }),
          "reward_f1": .object(Dictionary(scores.map { ($0.name, .number($0.f1)) }) { $1 }),
        ]
      ]))
    var sheets = try Sheets(made, folder: folder, episodes: heldOut, workers: threads)
    let files = try sheets.write(to: checkpoints.appending(path: "sheets"))
    print("world: \(out)\nsheets: \(files[0].deletingLastPathComponent().path)")
  }

  /// What a preset says, or else the world that models are taken from.
  private func model(beside other: World?) -> GenieConfiguration {
    if preset == nil, let other {
      var model = other.genie.configuration
      model.sampling = other.manifest.sampling
      return model
    }
    return GenieConfiguration.presets[preset ?? "tiny"]!
  }

  /// The command as somebody else would type it.
  private var command: String {
    var parts = [
      "genie train --clips \(clips.map { URL(filePath: $0).lastPathComponent }.joined(separator: " ")) --seed \(seed)"
    ]
    if let preset { parts.append("--preset \(preset)") }
    if let minutes { parts.append("--minutes \(minutes)") }
    if let tokensOf { parts.append("--tokens-of \(URL(filePath: tokensOf).lastPathComponent)") }
    if let dynamicsOf { parts.append("--dynamics-of \(URL(filePath: dynamicsOf).lastPathComponent)") }
    if let from { parts.append("--from \(URL(filePath: from).lastPathComponent)") }
    parts += settings.settings.map { "--set \($0)" }
    return parts.joined(separator: " ")
  }
}
