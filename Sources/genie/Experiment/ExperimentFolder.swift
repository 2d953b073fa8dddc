import ArgumentParser
import AgentSDK
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Safetensors
import Video
import WireProtocol

/// Where an experiment keeps what it has done, so that it goes on where it was interrupted.
struct ExperimentFolder {
  let url: URL
  let workers: Workers
  let style: ProgressBar.Style

  /// Begins an experiment in a folder, or goes on with it.
  /// - Parameter settings: what decides the stages that are kept, by names that a user knows. What is part of a stage's name, or only adds
  ///   stages, is left out.
  /// - Throws: `OtherSettings` where the folder holds stages of other settings.
  init(url: URL, settings: [String: String], style: ProgressBar.Style) throws {
    (self.url, workers, self.style) = (url, Workers(), style)
    try KeptSettings.check(settings, in: url)
  }

  /// An evaluation, or what is kept of it.
  /// - Parameter name: differs for whatever decides the result.
  func evaluated(
    _ name: String, _ evaluation: Evaluation, on pool: any EnvironmentPool, policy: () throws -> any Policy
  ) throws -> EvaluationReport {
    let file = url.appending(path: "evaluations/\(name).json")
    if let data = try? Data(contentsOf: file),
      let report = try? JSONDecoder().decode(EvaluationReport.self, from: data),
      report.episodes.map(\.seed) == evaluation.starts.map(\.seed)
    {
      return report
    }
    let bar = ProgressBar(name, total: evaluation.starts.count, unit: "episodes", style: style)
    let episodes = try evaluation.run(try policy(), on: pool) { bar.update(to: $0) }
    bar.finish()
    let report = try EvaluationReport(
      policy: name, environment: pool.specification.name, episodes: episodes)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try report.write(to: file)
    return report
  }

  /// Video of the built-in game, recorded unless it is there.
  func video(_ name: String, policy: EpisodeRecorder.Policy, episodes: Int, seed: UInt64) throws -> ClipFolder
  {
    let folder = url.appending(path: name)
    if let clips = try? ClipFolder(folder), clips.episodes.count == episodes { return clips }
    try? FileManager.default.removeItem(at: folder)
    let recorder = EpisodeRecorder(policy: policy, longestEpisode: 500, seed: seed)
    let writer = try ClipFolderWriter(folder)
    let bar = ProgressBar(name, total: episodes, unit: "episodes", style: style)
    for first in stride(from: 0, to: episodes, by: 50) {
      var shard = recorder.record(episode: first)
      for episode in first + 1..<min(episodes, first + 50) { shard.append(recorder.record(episode: episode)) }
      try writer.append(shard)
      bar.update(to: min(episodes, first + 50))
    }
    try writer.finish()
    bar.finish()
    return try ClipFolder(folder)
  }
}

/// A world with its game: what every experiment that looks from the dream to the real game needs.
struct Ground {
  let world: World
  let map: ActionMap
  /// Reads the game's frames, where the game is built in.
  let judge: (any GameJudge)?
  /// Of the game.
  let specification: EnvironmentSpecification
  private let pool: () throws -> any EnvironmentPool

  /// Reaching the platformer's flag, or CoinRun's coin, pays so much.
  static let goal: Float = 10
  /// Numbers of levels from here on are in no recorded video, which draws them from 63 bits.
  static let firstLevel = 1_000_000

  /// - Parameters:
  ///   - endpoint: of a server that has the game; nil where it is built in.
  ///   - keys: for an endpoint that asks for them.
  /// - Throws: ``ExperimentError/noGame(world:)``, ``ExperimentError/otherGame(world:actions:mapped:)``, or what the server says.
  init(_ world: World, endpoint: String? = nil, keys: ClientKeys? = nil) throws {
    let source = world.manifest.training?.source
    let games = EnvironmentCatalogue.builtIn
    guard let map = world.manifest.actionMap,
      let game = endpoint ?? source.flatMap({ games.names.contains($0) ? $0 : nil })
    else { throw ExperimentError.noGame(world: world.manifest.name) }
    pool = { try endpoint == nil ? games.makePool(game) : RemotePool(game, keys: keys) }
    specification = try pool().specification
    let actions = specification.actionSpace.count
    guard map.real.allSatisfy({ (0..<Int32(actions)).contains($0) }) else {
      throw ExperimentError.otherGame(
        world: world.manifest.name, actions: actions, mapped: Int(map.real.max() ?? 0))
    }
    self.world = world
    self.map = map
    judge = endpoint == nil ? world.judge : nil
  }

  /// The game, for one use: a server forgets who is silent for as long as a training in the dream takes.
  func game() throws -> any EnvironmentPool { try pool() }

  /// First pictures of levels of the game, none of them one of ``suite(levels:)``.
  func begins(_ count: Int) throws -> [Picture] {
    var pool = try game()
    var batch = pool.makeBatch()
    let slot = try pool.open(OpenOptions())
    defer { pool.close(slot) }
    return try (0..<count).map { index in
      try pool.reset([slot], [ResetOptions(seed: UInt64(index))], into: &batch)
      if let fault = batch.faults[0] { throw fault }
      let space = batch.observationSpace
      return Picture(height: space.height, width: space.width, pixels: Array(batch.observation(0)))
    }
  }

  /// Unseen levels of the game.
  func suite(levels: Int) throws -> LevelSuite {
    try LevelSuite(
      LevelSuite.Record(
        name: "\(specification.name)-unseen", split: .test, environment: specification.name,
        origin: .numbers, levels: Array(Self.firstLevel..<Self.firstLevel + levels), seeds: [1],
        success: .lastReward(atLeast: Self.goal)))
  }
}

extension World {
  /// Tells the worlds of experiments apart: by their models, by how they are sampled, and with what numbers is reckoned.
  var identity: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let sampling = (try? encoder.encode(manifest.sampling)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let models = manifest.hashes.sorted { $0.key < $1.key }.map(\.value).joined()
    return "\(manifest.name) \(ContentHash((models + sampling + precision.rawValue).utf8))"
  }
}

/// Several runs of one kind.
extension [EvaluationReport] {
  /// The mean returns of the runs; of a single one the returns of its episodes. What a run learned shows in all of its levels, so
  /// that runs are what is drawn anew for an interval, and not their episodes.
  var scores: Scores { count == 1 ? self[0].returns : Scores(map(\.meanReturn.value)) }

  /// Over runs; of a single one over its episodes.
  var meanReturn: ScoreEstimate { scores.estimate { $0.mean } }

  /// As ``meanReturn``, of the shares of successes; 0 where nobody tells them.
  var success: ScoreEstimate {
    if count == 1, let rate = self[0].successRate { return rate }
    let rates = compactMap { $0.successRate?.value }
    return rates.isEmpty ? ScoreEstimate(value: 0, low: 0, high: 0) : Scores(rates).estimate { $0.mean }
  }
}
