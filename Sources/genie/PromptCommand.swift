import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import Reporting
import Video

struct PromptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt",
    abstract: "Starts a world from pictures of any kind and shows what becomes of them.",
    discussion: """
      Each PICTURE is a PNG of any size: its middle is cropped to the world's proportions and scaled, its colours are left \
      alone. The sheet has a row for each: what the world was shown, what its tokenizer keeps of it, and where each \
      action leads when it is held.
      """)

  @Argument(help: "PNG files.")
  var pictures: [String]

  @Option(help: "The world's folder; the bundled world if none is named.")
  var world: String?

  @Option(help: ArgumentHelp("The sheet to draw, a PNG file.", valueName: "file"))
  var out: String

  @Option(help: "Steps that each action is held.")
  var steps = 6

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !pictures.isEmpty else { throw ValidationError("Name at least one picture.") }
    guard (1...1000).contains(steps) else { throw ValidationError("--steps is 1 to 1000.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let loaded = try World.named(world)
    let read = try pictures.map { file in
      let url = URL(filePath: file)
      return (name: url.deletingPathExtension().lastPathComponent, picture: try PNG.read(url))
    }
    let sheet = try PromptSheet(loaded, pictures: read, steps: steps, workers: Workers(count: workers))
    try PNG.write(sheet.picture, to: URL(filePath: out))
    var table = Table(["picture", "size", "kept by the tokenizer"])
    for (one, fidelity) in zip(read, sheet.fidelity) {
      table.append([
        one.name, "\(one.picture.width) x \(one.picture.height)", String(format: "%.1f dB", fidelity),
      ])
    }
    print("\(table)\nsheet: \(out)")
    try output.write(
      JSONReport([
        "prompt": [
          "sheet": .string(out),
          "psnr": .object(Dictionary(zip(read, sheet.fidelity).map { ($0.name, .number($1)) }) { $1 }),
        ]
      ]))
  }
}
