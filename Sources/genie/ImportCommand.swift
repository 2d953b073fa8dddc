import ArgumentParser
import Foundation
import Reporting
import Video

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports videos, or folders of PNG pictures, as clips to train on.",
    discussion: """
      Each INPUT is a video file of any format that ffmpeg reads, a folder of PNG files (one video, in natural \
      order of the names) or a folder of videos. Scene changes, black frames and frozen ones end an episode: no \
      training window crosses them. CLIPS is a new folder of safetensors files, readable from Python: `frames` \
      [time, size, size, 3] and `episode_starts`.
      """)

  @Argument(help: "Video files, or folders of pictures or videos.")
  var inputs: [String]

  @Option(help: ArgumentHelp("The folder to make.", valueName: "clips"))
  var out: String

  @Option(help: "Height and width of the frames in pixels, 8 to 1024.")
  var size = 64

  @Option(help: "Frames a second. Without it the file's own rate.")
  var fps: Double?

  @Option(help: "How a picture becomes a square: crop keeps the middle, stretch squeezes all of it.")
  var fit = ImportOptions.Fit.crop

  @Flag(inversion: .prefixedNo, help: "Look for scene changes.")
  var cuts = true

  @Flag(help: "Keep black frames.")
  var keepBlack = false

  @Option(help: ArgumentHelp("Identical frames in a row to keep; 0 keeps all.", valueName: "frames"))
  var longestFreeze = 64

  @Option(help: ArgumentHelp("Frames that an episode needs.", valueName: "frames"))
  var shortestEpisode = 8

  @Option(
    help: ArgumentHelp(
      "Also draw what was dropped, and the frames before and after each cut, to this PNG file.",
      valueName: "file"))
  var sheet: String?

  @Option(help: "Inputs that are read at the same time; 0 takes one for each processor.")
  var workers = 0

  @Flag(
    help:
      "Keep the inputs that are finished if the import is broken off, and go on with what an earlier one left."
  )
  var resume = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !inputs.isEmpty else { throw ValidationError("Name at least one video or folder.") }
    guard (8...1024).contains(size) else { throw ValidationError("--size is 8 to 1024, not \(size).") }
    if let fps, !(fps > 0 && fps <= 1000) {
      throw ValidationError("--fps is above 0 and at most 1000, not \(fps).")
    }
    guard longestFreeze >= 0 else { throw ValidationError("--longest-freeze is not negative.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
    guard (1...4096).contains(shortestEpisode) else {
      throw ValidationError("--shortest-episode is 1 to 4096.")
    }
  }

  func run() throws {
    let options = ImportOptions(
      size: size, framesPerSecond: fps, fit: fit, detectsCuts: cuts, dropsBlack: !keepBlack,
      longestFreeze: longestFreeze == 0 ? nil : longestFreeze, shortestEpisode: shortestEpisode)
    let bar = ProgressBar("import", total: nil, unit: "frames", style: output.progressStyle)
    let threads = workers > 0 ? workers : ProcessInfo.processInfo.activeProcessorCount
    let report = try VideoImport(options, workers: threads).run(
      inputs.map { URL(filePath: $0) }, to: URL(filePath: out), resumes: resume
    ) { progress in
      bar.total = progress.expected
      bar.update(to: progress.frames)
    }
    bar.total = report.total.read
    bar.finish()
    print(table(of: report))
    for source in report.sources {
      if let warning = source.warning { print("\(source.path): decoded with a complaint (\(warning))") }
    }
    print("\(report.total.kept) frames in \(report.total.episodes) episodes: \(out)")
    if let sheet {
      if let picture = report.sheet() {
        try PNG.write(picture, to: URL(filePath: sheet))
        print("what was dropped or cut: \(sheet)")
      } else {
        print("nothing was dropped or cut: no sheet was drawn")
      }
    }
    try output.write(json(report))
  }

  private func table(of report: CurationReport) -> Table {
    var table = Table(["source", "fps", "read", "kept", "episodes", "cuts", "black", "frozen", "too short"])
    func append(_ name: String, _ rate: Double?, _ counts: CurationReport.Counts) {
      table.append(
        [name, rate.map { String(format: "%.4g", $0) } ?? ""]
          + [
            counts.read, counts.kept, counts.episodes, counts.cuts, counts.droppedBlack, counts.droppedFrozen,
            counts.droppedShort,
          ].map(String.init))
    }
    for source in report.sources {
      append(URL(filePath: source.path).lastPathComponent, source.framesPerSecond, source.counts)
    }
    if report.sources.count > 1 { append("all", nil, report.total) }
    return table
  }

  private func json(_ report: CurationReport) -> JSONReport {
    func figures(_ counts: CurationReport.Counts) -> [String: JSONValue] {
      [
        "frames_read": .integer(counts.read), "frames_kept": .integer(counts.kept),
        "episodes": .integer(counts.episodes), "cuts": .integer(counts.cuts),
        "dropped": [
          "black": .integer(counts.droppedBlack), "frozen": .integer(counts.droppedFrozen),
          "too_short": .integer(counts.droppedShort),
        ],
      ]
    }
    let sources = report.sources.map { source in
      var object = figures(source.counts)
      object["path"] = .string(source.path)
      object["fps"] = source.framesPerSecond.map { .number($0) } ?? .null
      if let warning = source.warning { object["warning"] = .string(warning) }
      return JSONValue.object(object)
    }
    return JSONReport([
      "import": [
        "clips": .string(out), "size": .integer(size), "total": .object(figures(report.total)),
        "sources": .array(sources),
      ]
    ])
  }
}

extension ImportOptions.Fit: ExpressibleByArgument {}
