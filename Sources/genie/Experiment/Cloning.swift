import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video
import WorldModel

/// Policies cloned from an expert's video, or what is kept of them.
struct Cloning {
  let ground: Ground
  let folder: ExperimentFolder

  func demonstrations(_ video: ClipFolder) throws -> Demonstrations {
    let bar = ProgressBar("labels", total: video.frameCount, unit: "frames", style: folder.style)
    defer { bar.finish() }
    return try Demonstrations(ground.world, video, workers: folder.workers)
  }

  /// A policy of latent actions cloned from video alone, or the one that is kept.
  func cloned(_ name: String, from video: ClipFolder, steps: Int) throws -> PolicyFile {
    if let policy = kept(name, steps: steps) { return policy }
    let shown = try demonstrations(video)
    return try cloned(
      name, shown.observations, shown.latent, count: ground.world.actions, steps: steps, seed: 1)
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
