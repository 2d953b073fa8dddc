import Autograd
import NeuralNetwork

/// One figure of a training, by name.
public typealias Figures = [(name: String, value: Double)]

/// A stage of training: a model, its optimizer and its data. A step is a pure function of the stage's state, the
/// seed and the step's number, so that a resumed training repeats what an uninterrupted one would have done.
protocol TrainingStage: AnyObject {
  var name: String { get }
  var configuration: StageConfiguration { get }
  var optimizer: Optimizer { get }
  /// All tensors that the next steps depend on, but for the optimizer's.
  var modelState: [String: Tensor] { get }

  /// What a step costs on average, over what the first steps cost.
  var meanCost: Double { get }

  /// One update.
  /// - Parameters:
  ///   - step: from 0.
  ///   - progress: share of the stage that is done, 0..<1.
  func step(_ step: Int, progress: Double) throws -> Figures

  /// What is left to do after the last step. It may be called again on a stage that was finished before.
  func finish()

  /// Figures on held-out clips.
  func validate() throws -> Figures
}

extension TrainingStage {
  var meanCost: Double { 1 }
  func finish() {}
}
