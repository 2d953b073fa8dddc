import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

/// An expert's video as a world's latent action model sees it, and policies cloned from it.
struct Demonstrations {
  let ground: Ground
  let folder: ExperimentFolder

  /// Transitions: what was seen, what was pressed, and what the latent action model says that it was.
  struct Labelled {
    var observations: [UInt8] = []
    var pressed: [Int32] = []
    var latent: [Int32] = []
  }

  func labelled(_ video: ClipFolder) -> Labelled {
    let bar = ProgressBar("labels", total: video.frameCount, unit: "frames", style: folder.style)
    defer { bar.finish() }
    let store = TokenStore(ground.world.genie, folder: video, workers: folder.workers)
    var labelled = Labelled()
    for episode in video.episodes {
      let shard = video.shards[episode.shard]
      let range = episode.frames.lowerBound..<episode.frames.upperBound - 1
      guard !range.isEmpty, let actions = shard.actions else { continue }
      labelled.observations += shard.frames(range)
      labelled.pressed += range.map { actions[$0] }
      labelled.latent += store.actions(episode.shard, range.lowerBound + 1..<range.upperBound + 1)
    }
    return labelled
  }

  /// A policy of latent actions cloned from video alone, or the one that is kept.
  func cloned(_ name: String, from video: ClipFolder, steps: Int) throws -> PolicyFile {
    if let policy = kept(name, steps: steps) { return policy }
    let labelled = labelled(video)
    return try cloned(
      name, labelled.observations, labelled.latent, count: ground.world.actions, steps: steps, seed: 1)
  }

  func cloned(
    _ name: String, _ observations: [UInt8], _ labels: [Int32], count: Int, steps: Int, seed: UInt64
  ) throws -> PolicyFile {
    if let policy = kept(name, steps: steps) { return policy }
    let bar = ProgressBar(name, total: steps, unit: "steps", style: folder.style)
    let network = try BehaviourCloning(steps: steps, seed: seed).train(
      ActorCriticConfiguration(frame: ground.specification.observationSpace, actions: Discrete(count)),
      observations: observations, actions: labels, workers: folder.workers
    ) { step, accuracy in bar.update(to: step, figures: ["accuracy": accuracy]) }
    bar.finish()
    let policy = PolicyFile(network, environment: "video of an expert", steps: steps, seed: seed)
    try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
    try policy.write(to: file(name))
    return policy
  }

  private func file(_ name: String) -> URL { folder.url.appending(path: name + PolicyFile.suffix) }

  private func kept(_ name: String, steps: Int) -> PolicyFile? {
    (try? PolicyFile(contentsOf: file(name))).flatMap { $0.record.steps == steps ? $0 : nil }
  }
}
