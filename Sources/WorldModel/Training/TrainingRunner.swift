import Autograd
import Foundation
import NeuralNetwork
import Reporting

/// Why a training cannot go on.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  case checkpoint(CheckpointError)
  /// The loss is no number any more.
  case diverged(stage: String, step: Int)
  case unusable(String)

  public var description: String {
    switch self {
    case .checkpoint(let error): "\(error)"
    case .diverged(let stage, let step):
      "training of '\(stage)' diverged at step \(step): lower its learning rate (training.\(stage).optimizer.rate) and resume"
    case .unusable(let reason): reason
    }
  }
}

/// Runs a stage to its end: progress bar, TensorBoard events, validation, checkpoints, resumption.
///
/// Of several processes that train together, rank 0 does all that is seen or kept, and what depends on the clock is decided
/// there; a checkpoint says nothing of how many wrote it, and is gone on with by any number.
struct TrainingRunner {
  /// Where checkpoints are kept while the stage is not done.
  let folder: URL
  let events: EventFile?
  /// Seconds that the stage may take; nil runs the configured number of steps.
  let seconds: Double?
  /// The processes that train together; nil where this one is alone.
  let collective: (any Collective)?
  /// Seconds between checkpoints, and between validations.
  var checkpointInterval = 60.0
  var validationInterval = 30.0
  let showsProgress: Bool
  /// Where the run is broken off, with a checkpoint; nil goes on to the end.
  var lastStep: Int?

  /// Written beside the tensors of an unfinished stage.
  private struct Plan: Codable {
    var step: Int
    var steps: Int?
    var seconds: Double
    /// Whether the stage has done what it does at its end.
    var isFinished: Bool?
  }

  private var isFirst: Bool { collective?.rank ?? 0 == 0 }

  /// What is to be done after a step.
  private struct Due {
    var steps: Int?
    var validation = false
    var checkpoint = false
  }

  /// - Returns: the last validation's figures (of rank 0; none elsewhere), the steps and the seconds that the stage took.
  func run(_ stage: any TrainingStage) throws -> (figures: Figures, steps: Int, seconds: Double) {
    let file = folder.appending(path: stage.name + ".safetensors")
    var plan = Plan(step: 0, steps: seconds == nil ? stage.configuration.steps : nil, seconds: 0)
    let state = stage.modelState.merging(stage.optimizer.state) { $1 }
    if FileManager.default.fileExists(atPath: file.path) {
      do {
        plan = try Checkpoint.configuration(Plan.self, from: file)
        try Checkpoint.read(into: state, from: file)
      } catch { throw TrainingError.checkpoint(error) }
      guard (0...1_000_000_000).contains(plan.step),
        (plan.step...1_000_000_000).contains(plan.steps ?? plan.step),
        plan.seconds >= 0, plan.seconds.isFinite
      else {
        throw TrainingError.unusable("\(file.path): is damaged: step \(plan.step) of \(plan.steps ?? 0)")
      }
      // Begun with a time that was not told yet what it comes to, and gone on with without one.
      if seconds == nil { plan.steps = plan.steps ?? stage.configuration.steps }
      stage.optimizer.didRestore(step: plan.step)
    }
    if let found = collective?.gathered([plan.step]).map({ $0[0] }), Set(found).count > 1 {
      throw TrainingError.unusable(
        "the processes found checkpoints of steps \(found) in \(folder.path): all of them need to see the same folder"
      )
    }
    let bar = ProgressBar(
      stage.name, total: plan.steps, start: plan.step, unit: "steps",
      style: showsProgress && isFirst ? .automatic : .quiet)
    let clock = ContinuousClock()
    let before = plan.seconds
    let started = clock.now
    func elapsed() -> Double {
      let duration = clock.now - started
      return before + Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
    var (lastCheckpoint, lastValidation) = (elapsed(), elapsed())
    func save() throws {
      stage.optimizer.gatherState()
      guard isFirst else { return }
      plan.seconds = elapsed()
      do {
        try Checkpoint.write(
          stage.modelState.merging(stage.optimizer.state) { $1 }, configuration: plan, to: file)
      } catch { throw TrainingError.checkpoint(error) }
    }
    let calibration = 24
    while plan.step < min(plan.steps ?? Int.max, lastStep ?? Int.max) {
      let progress = plan.steps.map { Double(plan.step) / Double($0) } ?? 0
      let figures = try stage.step(plan.step, progress: progress)
      for figure in figures {
        guard figure.value.isFinite else { throw TrainingError.diverged(stage: stage.name, step: plan.step) }
        if plan.step % 10 == 0 {
          try events?.scalar("\(stage.name)/\(figure.name)", figure.value, step: plan.step)
        }
      }
      plan.step += 1
      var due = Due(steps: plan.steps)
      if plan.steps == nil, plan.step == calibration, let seconds {
        // The number of steps is fixed once, from the time of the first ones, and travels with the checkpoint.
        let cost = elapsed() / Double(calibration) * stage.meanCost
        due.steps = max(2 * calibration, Int(seconds / cost))
      }
      due.validation = elapsed() - lastValidation > validationInterval
      due.checkpoint = elapsed() - lastCheckpoint > checkpointInterval
      due = collective?.shared(due) ?? due
      plan.steps = due.steps
      bar.total = plan.steps
      bar.update(to: plan.step, figures: figures)
      if due.validation {
        try validate(stage, step: plan.step)
        lastValidation = elapsed()
      }
      if due.checkpoint {
        try save()
        lastCheckpoint = elapsed()
      }
    }
    if plan.step == plan.steps, plan.isFinished != true {
      stage.finish()
      plan.isFinished = true
    }
    let figures = try validate(stage, step: plan.step)
    bar.finish()
    try save()
    return (figures, plan.step, plan.seconds)
  }

  @discardableResult
  private func validate(_ stage: any TrainingStage, step: Int) throws -> Figures {
    guard isFirst else { return [] }
    let figures = try stage.validate()
    for figure in figures {
      try events?.scalar("\(stage.name)/validation/\(figure.name)", figure.value, step: step)
    }
    return figures
  }
}
