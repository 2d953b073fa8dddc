import Autograd
import Environments
import Foundation
import ReinforcementLearning
import Reporting

/// One training of a policy within an experiment: what it left in its folder is taken up again.
struct Training {
  let folder: URL
  let configuration: PPOConfiguration
  let style: ProgressBar.Style

  /// - Parameters:
  ///   - snapshots: policies to keep on the way, spread evenly over the steps, beside the last one.
  ///   - pool: made only if there is something left to train.
  /// - Returns: the trained policy.
  func run(
    title: String, horizon: Int? = nil, snapshots: Int = 0, workers: Workers,
    pool: () throws -> any EnvironmentPool
  ) throws -> PolicyFile {
    let policy = folder.appending(path: "agent" + PolicyFile.suffix)
    if let file = try? PolicyFile(contentsOf: policy), file.record.steps >= configuration.totalSteps {
      return file
    }
    let ppo = try PPO(try pool(), configuration, horizon: horizon, workers: workers)
    let events = try EventFile(folder: folder)
    let checkpoint = folder.appending(path: "checkpoint.safetensors")
    if FileManager.default.fileExists(atPath: checkpoint.path) { try ppo.resume(from: checkpoint) }
    let bar = ProgressBar(
      title, total: configuration.totalSteps, start: ppo.steps, unit: "steps", style: style)
    var saved = ContinuousClock.now
    while !ppo.isFinished {
      let share = ppo.steps * snapshots / configuration.totalSteps
      if snapshots > 0 {
        let file = folder.appending(path: "at-\(share)" + PolicyFile.suffix)
        if !FileManager.default.fileExists(atPath: file.path) { try ppo.policy.write(to: file) }
      }
      let figures = try ppo.iterate()
      try figures.log(to: events)
      bar.update(
        to: min(ppo.steps, configuration.totalSteps),
        figures: [("return", figures.recentReturn), ("entropy", figures.entropy)].filter { $0.1.isFinite })
      if ContinuousClock.now - saved > .seconds(30) {
        try ppo.save(to: checkpoint)
        saved = .now
      }
    }
    bar.finish()
    try ppo.policy.write(to: policy)
    try? FileManager.default.removeItem(at: checkpoint)
    return ppo.policy
  }
}
