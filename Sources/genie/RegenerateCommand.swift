import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import Reporting
import Video
import WorldModel

struct RegenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "regenerate",
    abstract:
      "Turns a real clip into its first frame and a list of actions, and dreams it again, side by side.",
    discussion: """
      INPUT is a folder of clips or a video of any format that ffmpeg reads. OUT ends with .gif or .mp4 for a film, or \
      with .png for a sheet of frames. Some actions can be changed, and a new story is dreamt beside the old one: \
      --change 8-15=3 plays action 3 into frames 8 to 15.
      """)

  @Argument(help: "A folder of clips, or a video file.")
  var input: String

  @Option(help: "The world's folder; the bundled world if none is named.")
  var world: String?

  @Option(help: ArgumentHelp("The file to write: NAME.gif, NAME.mp4 or NAME.png.", valueName: "file"))
  var out: String

  @Option(help: "Which episode of the clips, from 0.")
  var episode = 0

  @Option(help: "The first frame, within the episode.")
  var start = 0

  @Option(help: "How many frames.")
  var frames = 32

  @Option(
    help: ArgumentHelp(
      "Play another action: FRAME=ACTION or FROM-TO=ACTION. May be repeated.", valueName: "change"))
  var change: [ActionChange] = []

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard episode >= 0, start >= 0 else { throw ValidationError("--episode and --start are not negative.") }
    guard (2...10_000).contains(frames) else { throw ValidationError("--frames is 2 to 10000.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
    let ending = URL(filePath: out).pathExtension.lowercased()
    guard ending == "png" || Movie.endings.contains(ending) else {
      throw ValidationError("--out ends with .gif, .mp4 or .png.")
    }
  }

  func run() throws {
    let loaded = try World.named(world).ageless
    let threads = Workers(count: workers)
    let clip = try readClip(
      size: loaded.genie.configuration.tokenizer, framesPerSecond: loaded.manifest.frameRate)
    var changes: [Int: Int32] = [:]
    for one in change {
      guard one.action < loaded.actions else {
        throw EnvironmentError.invalidAction(Int32(clamping: one.action), count: loaded.actions)
      }
      guard one.frames.upperBound < clip.time else {
        throw ValidationError(
          "--change names frame \(one.frames.upperBound) of a clip of frames 0 to \(clip.time - 1).")
      }
      for frame in one.frames { changes[frame] = Int32(one.action) }
    }
    let regeneration = try Regeneration(loaded, clip: clip, changes: changes, workers: threads)
    let names = try loaded.namesOfActions(workers: threads)
    let target = URL(filePath: out)
    if target.pathExtension.lowercased() == "png" {
      try PNG.write(regeneration.sheet(), to: target)
    } else {
      try Movie(regeneration.frames(names: names), framesPerSecond: loaded.manifest.frameRate).write(
        to: target)
    }
    print(
      "actions: "
        + regeneration.actions.map { names[Int($0)].isEmpty ? "\($0)" : names[Int($0)] }
        .joined(separator: " "))
    let shown = [1, 4, 8, 16, 32].filter { $0 < regeneration.psnr.count }
    print(
      "PSNR against the real frames: "
        + shown.map { "t=\($0) \(String(format: "%.1f", regeneration.psnr[$0]))" }.joined(separator: ", ")
        + " dB\n\(clip.time) frames: \(out)")
    try output.write(
      JSONReport([
        "regenerate": [
          "out": .string(out), "actions": .array(regeneration.actions.map { .integer(Int($0)) }),
          "changed_actions": .array(regeneration.changedActions.map { .integer(Int($0)) }),
          "psnr": .array(regeneration.psnr.map { .number($0) }),
        ]
      ]))
  }

  /// The frames asked for, as the world sees them.
  private func readClip(size: TokenizerConfiguration, framesPerSecond: Double) throws -> FrameBatch {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder) else {
      throw ImportError.missing(path: input)
    }
    let source = URL(filePath: input)
    if isFolder.boolValue || source.pathExtension == "safetensors" {
      return try cut(ClipFolder(source), size: size)
    }
    let temporary = FileManager.default.temporaryDirectory.appending(path: "genie-clip-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: temporary) }
    let options = ImportOptions(size: size.height, framesPerSecond: framesPerSecond)
    _ = try VideoImport(options).run([source], to: temporary)
    return try cut(ClipFolder(temporary), size: size)
  }

  private func cut(_ folder: ClipFolder, size: TokenizerConfiguration) throws -> FrameBatch {
    guard folder.height == size.height, folder.width == size.width else {
      throw ClipError.frameSize(
        file: input, found: [folder.height, folder.width], expected: [size.height, size.width])
    }
    guard folder.episodes.indices.contains(episode) else {
      throw ValidationError("There are \(folder.episodes.count) episodes, numbered from 0.")
    }
    let chosen = folder.episodes[episode]
    guard start <= chosen.frames.count - 2 else {
      throw ValidationError("Episode \(episode) has \(chosen.frames.count) frames.")
    }
    let first = chosen.frames.lowerBound + start
    let last = min(chosen.frames.upperBound, first + frames)
    return FrameBatch(
      clips: 1, time: last - first, height: folder.height, width: folder.width,
      bytes: folder.shards[chosen.shard].frames(first..<last))
  }
}

/// Another action for some frames: `12=3` or `8-15=3`.
struct ActionChange: ExpressibleByArgument {
  let frames: ClosedRange<Int>
  let action: Int

  init?(argument: String) {
    let sides = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard sides.count == 2, let action = Int(sides[1]), action >= 0 else { return nil }
    let ends = sides[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
      first >= 1, last >= first, last < 1 << 20
    else { return nil }
    frames = first...last
    self.action = action
  }
}
