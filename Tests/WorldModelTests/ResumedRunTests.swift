import Autograd
import Foundation
import NeuralNetwork
import Reporting
import TestSupport
import Testing
import Video

@testable import WorldModel

@Suite struct ResumedRunTests {
  /// Counts its steps and its ends.
  private final class Counting: TrainingStage {
    let name = "counting"
    let configuration = StageConfiguration(steps: 5, batch: 1, time: 1)
    let optimizer: Optimizer
    private(set) var (steps, ends) = (0, 0)
    private let parameters = Parameters(seed: 1)

    init() { optimizer = Optimizer(parameters, OptimizerConfiguration(), workers: Workers(count: 1)) }

    var modelState: [String: Tensor] { ["ends": Tensor([Float(ends)], shape: [1])] }
    func step(_ step: Int, progress: Double) -> Figures {
      steps += 1
      return []
    }
    func finish() { ends += 1 }
    func validate() -> Figures { [] }
  }

  /// What a stage does at its end it does once, however often the run is gone on with.
  @Test func aStageIsFinishedOnce() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    func run(seconds: Double? = nil, to step: Int? = nil) throws -> Counting {
      let stage = Counting()
      var runner = TrainingRunner(
        folder: folder.url, events: nil, seconds: seconds, collective: nil, showsProgress: false)
      runner.lastStep = step
      _ = try runner.run(stage)
      return stage
    }
    #expect(try run().ends == 1)
    let again = try run()
    #expect(again.ends == 0 && again.steps == 0)
  }

  /// Begun with a time, broken off before it was known what that comes to, and gone on with by a number of steps.
  @Test func aTimeMayBecomeANumberOfSteps() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    func run(seconds: Double?, to step: Int?) throws -> Int {
      let stage = Counting()
      var runner = TrainingRunner(
        folder: folder.url, events: nil, seconds: seconds, collective: nil, showsProgress: false)
      runner.lastStep = step
      _ = try runner.run(stage)
      return stage.steps
    }
    #expect(try run(seconds: 60, to: 2) == 2)
    #expect(try run(seconds: nil, to: 100) == 3)
  }

  /// An unfinished run is gone on with only as what it was begun as.
  @Test func anotherRunIsNotGoneOnWith() throws {
    let (video, other) = (try SampleVideo(), try SampleVideo([90, 41]))
    let folder = video.folder.file("run")
    var configuration = TrainingConfiguration(
      tokenizer: .init(steps: 2, batch: 1, time: 2), latentActions: .init(steps: 2, batch: 1, time: 2),
      dynamics: .init(steps: 2, batch: 1, time: 2), shortTime: 2, shortBatch: 1, heldOut: 0.2)
    func run(_ clips: ClipFolder, seed: UInt64 = 1, minutes: Double? = nil) throws {
      _ = try GenieTraining(
        .sample(), configuration, clips: clips, folder: folder, seed: seed, minutes: minutes,
        workers: Workers(count: 1), showsProgress: false
      ).run()
    }
    try run(video.clips)
    try run(video.clips)
    #expect { try run(other.clips) } throws: { ($0 as? OtherSettings)?.name == "clips" }
    #expect { try run(video.clips, seed: 2) } throws: { ($0 as? OtherSettings)?.name == "seed" }
    configuration.dynamics.steps = 3
    #expect {
      try run(video.clips)
    } throws: {
      ($0 as? OtherSettings)?.name == "training.dynamics.steps"
    }
    // How fast is learned may change on the way.
    configuration.dynamics.steps = 2
    configuration.dynamics.optimizer.rate *= 0.5
    try run(video.clips)
    // So may how many minutes there are, but not whether there is a limit.
    #expect { try run(video.clips, minutes: 0.01) } throws: { ($0 as? OtherSettings)?.name == "minutes" }
    try FileManager.default.removeItem(at: folder)
    try run(video.clips, minutes: 0.01)
    try run(video.clips, minutes: 0.02)
  }

  /// Clips that are too short for the last stage are found before the first is trained.
  @Test func shortClipsAreFoundAtOnce() throws {
    let video = try SampleVideo()
    let folder = video.folder.file("run")
    let training = try GenieTraining(
      .sample(), TrainingConfiguration(dynamics: .init(steps: 2, batch: 1, time: 500), heldOut: 0.2),
      clips: video.clips, folder: folder, seed: 1, workers: Workers(count: 1), showsProgress: false)
    #expect { try training.run() } throws: {
      guard case ClipError.noWindows(frames: 500, longest: _) = $0 else { return false }
      return true
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy {
        !$0.hasSuffix("safetensors")
      })
  }
}
