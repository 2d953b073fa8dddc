import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import Reporting
import Safetensors
import Video
import WorldModel

struct AblateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ablate",
    abstract: "Trains a world in several ways with several seeds, and compares what comes of it.",
    discussion: """
      A variant is a list of settings as 'genie train' takes them, apart by spaces: \
      --variant "model.dynamics.conditioning=additive training.masking.actionNoise=0". What all have in common is set \
      with --set. STUDY names variants that are known:

      \(AblateCommand.studies.sorted { $0.key < $1.key }
        .map { "\($0.key): \($0.value.about)" }.joined(separator: "\n"))
      """)

  /// A question, and the variants that answer it.
  struct Study {
    let about: String
    let variants: [(name: String, settings: String)]
  }

  static let studies: [String: Study] = [
    "conditioning": Study(
      about: "how the dynamics are told the action: added, concatenated or as FiLM",
      variants: [
        ("film", "model.dynamics.conditioning=film"), ("additive", "model.dynamics.conditioning=additive"),
        ("concatenated", "model.dynamics.conditioning=concatenated"),
      ]),
    "tokenizer": Study(
      about:
        "how the tokenizer's encoder looks at a clip: space-time (ST-ViViT), space alone (ViT), all at once (C-ViViT)",
      variants: [
        ("space-time", "model.tokenizer.window=4"), ("space", "model.tokenizer.window=1"),
        ("all at once", "model.tokenizer.window=4 model.tokenizer.encoderAttention=full"),
      ].map {
        ($0.0, "model.tokenizer.encoderBlocks=1 model.tokenizer.decoderBlocks=2 " + $0.1)
      }),
    "rare": Study(
      about: "whether rare patches need emphasis and codes of their own",
      variants: [
        ("neither", "training.rarityEmphasis=0 training.codePlacement=null"),
        ("emphasis", "training.rarityEmphasis=0.5 training.codePlacement=null"),
        ("placement", "training.rarityEmphasis=0 training.codePlacement=0.6"),
        ("both", "training.rarityEmphasis=0.5 training.codePlacement=0.6"),
      ]),
    "motion": Study(
      about: "what the latent actions are shown: motion at two resolutions, or raw pixels as in the paper",
      variants: [
        (
          "pooled 4",
          "model.latentActions.pooling=4 model.latentActions.patch=4 model.latentActions.motionRadius=1"
        ),
        (
          "pooled 2",
          "model.latentActions.pooling=2 model.latentActions.patch=8 model.latentActions.motionRadius=2"
        ),
        (
          "pixels",
          "model.latentActions.pooling=2 model.latentActions.patch=8 model.latentActions.motionRadius=0"
        ),
      ]),
    "tokens": Study(
      about: "what the latent actions are learned from: pixels, as raw frames or as motion, or tokens",
      variants: [
        (
          "motion",
          "model.latentActions.pooling=2 model.latentActions.patch=8 model.latentActions.motionRadius=2"
        ),
        (
          "pixels",
          "model.latentActions.pooling=1 model.latentActions.patch=8 model.latentActions.motionRadius=0"
        ),
        (
          "tokens",
          "model.latentActions.pooling=1 model.latentActions.patch=8 model.latentActions.tokenWidth=16"
        ),
      ]),
    "impossible": Study(
      about: "whether false actions in training teach that an action can be impossible",
      variants: [
        ("no false actions", "training.masking.actionNoise=0"), ("5%", "training.masking.actionNoise=0.05"),
        ("20%", "training.masking.actionNoise=0.2"),
        ("15% of unseen", "training.masking.actionNoise=0 training.masking.unseenActions=0.15"),
      ]),
    "ends": Study(
      about: "whether episodes' ends have to be shown oftener than they occur",
      variants: [
        ("as they occur", "training.endShare=0"), ("5%", "training.endShare=0.05"),
        ("15%", "training.endShare=0.15"),
      ]),
    "neighbourhood": Study(
      about: "whether each token should be told what lies around it in the frame before, and how far",
      variants: [
        ("attention alone", "model.dynamics.neighbourhood=0"), ("3 x 3", "model.dynamics.neighbourhood=1"),
        ("5 x 5", "model.dynamics.neighbourhood=2"),
      ]),
    "rehearsal": Study(
      about: "whether the model should see frames of its own, and the tokens that sampling fixes first",
      variants: [
        ("neither", "training.masking.ownFrames=0 training.masking.pilots=0"),
        ("own frames", "training.masking.ownFrames=0.5 training.masking.pilots=0"),
        ("pilots", "training.masking.ownFrames=0 training.masking.pilots=0.6"),
        ("both", "training.masking.ownFrames=0.3 training.masking.pilots=0.4"),
      ]),
    "balance": Study(
      about: "whether clips should be drawn so that every code is seen as often",
      variants: [
        ("as they occur", "training.rareShare=0"), ("20% by code", "training.rareShare=0.2"),
        ("40% by code", "training.rareShare=0.4"),
      ]),
    "context": Study(
      about: "how many tokens of the context are wrong in training",
      variants: [
        ("none", "training.masking.corruption=0"), ("5%", "training.masking.corruption=0.05"),
        ("15%", "training.masking.corruption=0.15"),
      ]),
  ]

  @Argument(help: "One of the known studies; none where --variant says what is compared.")
  var study: String?

  @Option(help: ArgumentHelp("The clips to learn from.", valueName: "clips"))
  var clips: String

  @Option(
    help: ArgumentHelp(
      "The clips to measure on; those that training held out if none are named.", valueName: "clips"))
  var heldOut: String?

  @Option(help: ArgumentHelp("Settings to compare. May be repeated.", valueName: "settings"))
  var variant: [String] = []

  @Option(
    help: "The size of the models: \(GenieConfiguration.presets.keys.sorted().joined(separator: ", ")).")
  var preset = "tiny"

  @Option(help: "Minutes for each training; without it, the configured numbers of steps.")
  var minutes: Double?

  @Option(help: "Trainings of each variant, with seeds from 1 on.")
  var seeds = 2

  @Option(
    help: ArgumentHelp(
      "Take the tokenizer and the latent actions of this world, and train the dynamics only.",
      valueName: "world"))
  var tokensOf: String?

  @Option(help: ArgumentHelp("Windows to measure on.", valueName: "windows"))
  var count = 128

  @Option(help: "Worlds that are played for long, where the game's frames can be read; 0 for none.")
  var worlds = 64

  @Option(help: ArgumentHelp("How long they are played.", valueName: "frames"))
  var frames = 100

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @Option(
    help: ArgumentHelp(
      "Keeps trainings and figures there, so that the same command goes on where it was interrupted.",
      valueName: "folder"))
  var out: String?

  @OptionGroup var settings: SettingOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard study.map({ Self.studies[$0] != nil }) ?? !variant.isEmpty else {
      throw ValidationError(
        "Name one of the studies (\(Self.studies.keys.sorted().joined(separator: ", "))) or a --variant.")
    }
    guard GenieConfiguration.presets[preset] != nil else { throw ValidationError("No preset '\(preset)'.") }
    guard (1...20).contains(seeds) else { throw ValidationError("--seeds is 1 to 20.") }
    guard minutes.map({ $0 > 0 && $0 < 100_000 }) ?? true else {
      throw ValidationError("--minutes is more than 0.")
    }
    guard (1...100_000).contains(count) else { throw ValidationError("--count is 1 to 100000.") }
    guard (0...1024).contains(worlds), (1...100_000).contains(frames), (0...256).contains(workers) else {
      throw ValidationError("--worlds is 0 to 1024, --frames 1 to 100000, --workers 0 to 256.")
    }
  }

  func run() throws {
    let variants = (study.flatMap { Self.studies[$0]?.variants } ?? []) + variant.map { ($0, $0) }
    let data = try ClipFolder(URL(filePath: clips))
    let other = try heldOut.map { try ClipFolder(URL(filePath: $0)) }
    if let other, other.height != data.height || other.width != data.width {
      throw ClipError.frameSize(
        file: heldOut ?? "", found: [other.height, other.width], expected: [data.height, data.width])
    }
    let tokens = try tokensOf.map { try World(URL(filePath: $0)) }
    let threads = Workers(count: workers)
    let folder =
      out.map { URL(filePath: $0) }
      ?? FileManager.default.temporaryDirectory.appending(path: "genie-ablation-\(UUID().uuidString)")
    defer { if out == nil { try? FileManager.default.removeItem(at: folder) } }
    // How a variant is trained is part of the name of what is kept of it.
    try KeptSettings.check(
      [
        "clips": data.fingerprint, "held-out": other?.fingerprint ?? "none",
        "tokens-of": tokens?.identity ?? "none", "minutes": minutes.map { "\($0)" } ?? "none",
        "count": "\(count)", "worlds": "\(worlds)", "frames": "\(frames)",
      ], in: folder)
    var (rows, names): ([(name: String, runs: [[String: Double]])], [String]) = ([], [])
    let trainings = try variants.map { name, text in
      var own = settings
      own.settings += text.split(separator: " ").map(String.init)
      return (name, try configured(own))
    }
    for (name, own) in trainings {
      var runs: [[String: Double]] = []
      for seed in 1...UInt64(seeds) {
        let kept = try folder.appending(path: Self.fileName(name, own, seed: seed))
        let training = kept.appendingPathExtension("training")
        let figures = try Self.figures(in: kept) {
          try run(
            own, seed: seed, folder: training, data: data, heldOut: other, tokens: tokens, threads: threads)
        }
        try? FileManager.default.removeItem(at: training)
        let line = figures.map { "\($0.name) \(String(format: "%.3f", $0.value))" }.joined(separator: "  ")
        print("\(name), seed \(seed): \(line)")
        names = figures.map(\.name)
        runs.append(Dictionary(figures.map { ($0.name, $0.value) }) { $1 })
      }
      rows.append((name, runs))
    }
    var table = Table(["mean of \(seeds)"] + names)
    for row in rows {
      table.append(
        [row.name]
          + names.map { name in
            let values = row.runs.compactMap { $0[name] }
            return String(format: "%.3f", values.reduce(0, +) / Double(max(1, values.count)))
          })
    }
    print(table)
    try output.write(
      JSONReport([
        "ablate": .object(
          Dictionary(
            rows.map { row in
              (row.name, .array(row.runs.map { .object($0.mapValues { .number($0) }) }))
            }
          ) { $1 })
      ]))
  }

  /// One column of a table, of one training.
  private struct Figure: Codable {
    var name: String
    var value: Double

    init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
  }

  private struct Settings: Encodable {
    var model: GenieConfiguration
    var training: TrainingConfiguration
  }

  /// Tells trainings apart by all that decides them.
  private static func fileName(_ name: String, _ settings: Settings, seed: UInt64) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let readable = String(name.map { $0.isLetter || $0.isNumber ? $0 : "-" }.prefix(60))
    return "\(readable)-\(seed)-\(ContentHash(try encoder.encode(settings)).description.prefix(8))"
  }

  /// What was measured before, or else is measured now and kept.
  private static func figures(in place: URL, _ measured: () throws -> [Figure]) throws -> [Figure] {
    let file = place.appendingPathExtension("json")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    if let data = try? Data(contentsOf: file), let figures = try? decoder.decode([Figure].self, from: data) {
      return figures
    }
    let figures = try measured()
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try AtomicFile.write(Array(try encoder.encode(figures)), to: file)
    return figures
  }

  private func configured(_ settings: SettingOptions) throws -> Settings {
    try settings.validate()
    let model = try settings.applied(to: GenieConfiguration.presets[preset]!, named: "model")
    let training = try settings.applied(to: TrainingConfiguration().fitting(model), named: "training")
    if let problem = model.problem { throw GenieError.badConfiguration(problem) }
    if let problem = training.problem { throw TrainingError.unusable(problem) }
    return Settings(model: model, training: training)
  }

  /// One training and its figures, in the order of a table's columns.
  private func run(
    _ settings: Settings, seed: UInt64, folder: URL, data: ClipFolder, heldOut: ClipFolder?, tokens: World?,
    threads: Workers
  ) throws -> [Figure] {
    var training = WorldTraining(
      name: "ablation", command: "genie ablate", seed: seed, minutes: minutes,
      model: settings.model, configuration: settings.training)
    training.taken = tokens.map { (.tokens, $0) }
    let (world, _, episodes) = try training.run(
      clips: data, folder: folder, workers: threads, showsProgress: !output.quiet)
    let measured = try WorldMeasurement(
      world, folder: heldOut ?? data, episodes: heldOut == nil ? episodes : nil, count: count,
      workers: threads)
    var figures = [
      Figure("seconds", world.manifest.training?.seconds ?? 0), Figure("tokenizer", measured.tokenizerPSNR),
      Figure("changed", measured.accuracy.changed), Figure("t4", measured.rolloutPSNR[3]),
      Figure("delta t4", measured.deltaPSNR.mean), Figure("least used", measured.actionUsage.min() ?? 0),
    ]
    guard worlds > 0, let heldOut, let judge = heldOut.judge else { return figures }
    let game = try GameMeasurement(
      world, folder: heldOut, judge: judge, effort: .init(worlds: worlds, frames: frames), workers: threads)
    figures += [
      Figure("decoded", game.decoded.validity), Figure("ends", game.decodedEnds.validity),
      Figure("purity", game.purity?.accuracy ?? .nan),
      Figure("consistency", game.consistency?.lowest ?? .nan),
    ]
    for frame in Set([10, min(50, frames), frames]).sorted() where frame <= frames {
      figures.append(Figure("valid.\(frame)", game.play.validity[frame]))
    }
    figures.append(Figure("variety", game.play.variety[frames]))
    return figures
  }
}
