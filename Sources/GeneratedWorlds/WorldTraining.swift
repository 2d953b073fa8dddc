import Autograd
import Environments
import Foundation
import NeuralNetwork
import Video
import WorldModel

/// Makes a world from clips: trains a Genie, and puts beside it what an environment needs.
public struct WorldTraining {
  public var name: String
  public var command: String
  public var seed: UInt64
  public var minutes: Double?
  public var model: GenieConfiguration
  public var configuration: TrainingConfiguration
  /// What is taken of another world, and of which.
  public var taken: (models: TakenModels, world: World)?
  /// Levels, that is start frames, to keep in the world.
  private static let levels = 64

  public init(
    name: String, command: String, seed: UInt64, minutes: Double? = nil, model: GenieConfiguration,
    configuration: TrainingConfiguration = .init()
  ) {
    self.name = name
    self.command = command
    self.seed = seed
    self.minutes = minutes
    self.model = model
    self.configuration = configuration
  }

  /// - Parameter folder: for checkpoints and events; an unfinished run there is gone on with.
  /// - Returns: the world, how well rewards were found, and the clips that were held out.
  public func run(
    clips: ClipFolder, folder: URL, workers: Workers, showsProgress: Bool
  ) throws -> (world: World, scores: [EventScore], heldOut: [ClipFolder.Episode]) {
    let training = try GenieTraining(
      model, configuration, clips: clips, folder: folder, seed: seed, minutes: minutes, workers: workers,
      showsProgress: showsProgress)
    if let taken {
      let other = taken.world
      try training.take(taken.models, of: other.genie, rewards: other.rewards, odds: other.odds)
    }
    let result = try training.run()
    let metadata = clips.shards[0].metadata
    let names = metadata["actions"].map { $0.split(separator: ",").map(String.init) } ?? []
    var manifest = WorldManifest(
      name: name, sampling: model.sampling,
      frameRate: metadata["fps"].flatMap(Double.init).flatMap {
        WorldManifest.frameRates.contains($0) ? $0 : nil
      } ?? 10)
    // Latent actions that are kept mean what they did, and no more labels are looked at.
    let kept = taken.flatMap { $0.models == .beginning ? $0.world.manifest.actionMap : nil }
    manifest.actionMap =
      kept ?? actionMap(clips, store: result.store, episodes: training.training, names: names)
    let formatter = ISO8601DateFormatter()
    manifest.training = TrainingRecord(
      command: command, seed: seed, date: formatter.string(from: Date()), processors: workers.count,
      frames: training.training.reduce(0) { $0 + $1.frames.count },
      source: metadata["source"] ?? "video", configuration: configuration, stages: result.stages)
    let starts = startFrames(clips, training.heldOut)
    let world = World(
      genie: training.genie, rewards: result.rewards, odds: result.odds, levels: starts.frames,
      begins: starts.begins, manifest: manifest)
    return (world, result.scores, training.heldOut)
  }

  /// Frames spread over the held-out episodes, first frames before later ones; and whether an episode began with each.
  private func startFrames(
    _ clips: ClipFolder, _ heldOut: [ClipFolder.Episode]
  ) -> (frames: FrameBatch, begins: [Bool]) {
    var chosen: [(shard: Int, frame: Int)] = []
    var begins: [Bool] = []
    var distance = 0
    while chosen.count < Self.levels, distance < (heldOut.map(\.frames.count).max() ?? 0) {
      for episode in heldOut where distance < episode.frames.count && chosen.count < Self.levels {
        chosen.append((episode.shard, episode.frames.lowerBound + distance))
        begins.append(distance == 0 && !clips.shards[episode.shard].beginsAnywhere)
      }
      distance += 24
    }
    let bytes = chosen.flatMap { clips.shards[$0.shard].frames($0.frame..<$0.frame + 1) }
    return (
      FrameBatch(clips: chosen.count, time: 1, height: clips.height, width: clips.width, bytes: bytes), begins
    )
  }

  private func actionMap(
    _ clips: ClipFolder, store: TokenStore, episodes: [ClipFolder.Episode], names: [String]
  ) -> ActionMap? {
    guard clips.hasActions else { return nil }
    var places: [(shard: Int, frame: Int)] = []
    for episode in episodes.prefix(configuration.labelledEpisodes) {
      // An action that nobody knows tells nothing.
      places += episode.frames.dropLast().filter { clips.shards[episode.shard].actions![$0] >= 0 }
        .map { (episode.shard, $0) }
    }
    guard !places.isEmpty else { return nil }
    let count = min(places.count, ActionMap.sampleLimit)
    let pairs = (0..<count).map { index in
      let (shard, frame) = places[index * places.count / count]
      let latent = store.actions(shard, frame + 1..<frame + 2).first!
      return (latent: latent, real: clips.shards[shard].actions![frame])
    }
    let actions = max(names.count, Int(pairs.map(\.real).max() ?? 0) + 1)
    // Numbers like these name no button.
    guard actions <= 4096 else { return nil }
    return ActionMap(
      pairs: pairs, latentCount: model.dynamics.actions, realCount: actions,
      names: names.count == actions ? names : [])
  }
}
