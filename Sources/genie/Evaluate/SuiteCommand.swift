import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

struct SuiteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suite",
    abstract: "Fixes a suite of levels to judge policies on: named, versioned, with a hash.",
    discussion: """
      Levels of a game (--environment), the frames that a world keeps and was not trained on (--world), a folder of PNG \
      pictures (--pictures, with --world), or first frames that a world dreams from nothing (--dreamt, with --world). \
      Training and test suites made with the same options share no level. The suite is one file, NAME\(LevelSuite.suffix).
      """)

  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var out: String

  @Option(help: "What the suite is called; without it, as its file.")
  var name: String?

  @Option(help: "Its version.")
  var version = 1

  @Option(help: "Which half of the levels: train or test.")
  var split = LevelSuite.Split.test

  @Option(help: "A built-in game, whose numbered levels are taken.")
  var environment: String?

  @Option(
    help: ArgumentHelp("The world whose frames are taken, or that plays the pictures.", valueName: "folder"))
  var world: String?

  @Option(help: ArgumentHelp("Take these PNG pictures.", valueName: "folder"))
  var pictures: String?

  @Flag(help: "Take first frames that the world dreams from nothing.")
  var dreamt = false

  @Option(help: "Levels, at most.")
  var levels = 100

  @Option(help: "Seeds that each level is played with.")
  var seeds = 1

  @Option(help: ArgumentHelp("Cut episodes after so many steps; without it the environment's own horizon."))
  var horizon: Int?

  @Option(help: ArgumentHelp("The last reward from which on an episode is a success.", valueName: "reward"))
  var successReward: Float?

  @Option(
    help: ArgumentHelp(
      "The return from which on more is not better, for the optimality gap.", valueName: "return"))
  var optimum: Double?

  /// Where the numbers of test levels begin; recorded video shows levels whose numbers are drawn from 63 bits.
  private static let firstLevel = (train: 2_000_000, test: 1_000_000)

  func validate() throws {
    guard (1...100_000).contains(levels) else { throw ValidationError("--levels is 1 to 100000.") }
    guard (1...1000).contains(seeds) else { throw ValidationError("--seeds is 1 to 1000.") }
    guard optimum?.isFinite ?? true, successReward?.isFinite ?? true else {
      throw ValidationError("--optimum and --success-reward are finite numbers.")
    }
    guard (environment == nil) != (world == nil) else {
      throw ValidationError("Levels come from --environment or from --world.")
    }
    guard environment == nil || (pictures == nil && !dreamt), pictures == nil || !dreamt else {
      throw ValidationError("--pictures or --dreamt go with --world, one of them.")
    }
    guard out.hasSuffix(LevelSuite.suffix) else {
      throw ValidationError("--out ends with \(LevelSuite.suffix).")
    }
  }

  func run() throws {
    let url = URL(filePath: out)
    let name = name ?? String(url.lastPathComponent.dropLast(LevelSuite.suffix.count))
    let seeds = (0..<UInt64(seeds)).map { $0 + (split == .test ? 1 : 1_000_001) }
    var record = LevelSuite.Record(
      name: name, version: version, split: split, environment: environment ?? "", origin: .numbers,
      seeds: seeds,
      horizon: horizon, success: successReward.map { .lastReward(atLeast: $0) }, optimum: optimum)
    var frames: [Prompt] = []
    if let environment {
      _ = try EnvironmentCatalogue.builtIn.makePool(environment)
      let first = split == .test ? Self.firstLevel.test : Self.firstLevel.train
      record.levels = Array(first..<first + levels)
    } else if let path = world {
      let world = try World(URL(filePath: path))
      record.environment = world.manifest.name
      (record.origin, frames) = try startFrames(world)
    }
    let suite = try LevelSuite(record, frames: frames)
    try suite.write(to: url)
    print(
      "\(name) \(version) (\(split.rawValue)): \(suite.count) levels, \(seeds.count) seeds, hash \(suite.hash)"
    )
  }

  private func startFrames(_ world: World) throws -> (LevelSuite.Origin, [Prompt]) {
    func half<Element>(_ all: [Element]) -> [Element] {
      Array(
        all.enumerated().filter { ($0.offset % 2 == 0) == (split == .test) }.map(\.element).prefix(levels))
    }
    func prompts(_ batch: FrameBatch) -> [Prompt] {
      let size = batch.height * batch.width * 3
      return (0..<batch.clips).map {
        Prompt(
          height: batch.height, width: batch.width, pixels: Array(batch.bytes[$0 * size..<($0 + 1) * size]))
      }
    }
    if let pictures {
      let files = try FileManager.default.contentsOfDirectory(atPath: pictures)
        .filter { $0.lowercased().hasSuffix(".png") }.sorted()
      let read = try half(files).map { try PNG.read(URL(filePath: pictures).appending(path: $0)) }
      return (.pictures, prompts(world.frames(showing: read)))
    }
    guard dreamt else { return (.heldOutFrames, half(prompts(world.levels))) }
    guard world.dreamsLevels else {
      throw ValidationError("\(world.manifest.name) was not trained to dream levels from nothing.")
    }
    var pool = GeneratedWorldPool(world, levelSampling: .level)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    let space = pool.observationSpace
    let all = try (0..<2 * levels).map { index in
      try pool.reset([slot], [ResetOptions(seed: UInt64(index))], into: &batch)
      return Prompt(height: space.height, width: space.width, pixels: Array(batch.observation(0)))
    }
    return (.dreamt, half(all))
  }
}

extension LevelSuite.Split: ExpressibleByArgument {}
