import Autograd
import Foundation
import NeuralNetwork

extension PPO {
  /// What a checkpoint keeps beside tensors.
  private struct Record: Codable {
    var configuration: PPOConfiguration
    var network: ActorCriticConfiguration
    var environment: String
    var steps: Int
    var iterations: Int
    var optimizerSteps: Int
    var rewardScale: RewardScale
  }

  /// Writes all that a training needs to go on: network, optimizer, counters and the scale of rewards.
  ///
  /// The environments' episodes are not kept, since not every pool can: a resumed training begins new ones.
  /// - Throws: ``PPOError/checkpoint(_:)``
  public func save(to url: URL) throws(PPOError) {
    let record = Record(
      configuration: configuration, network: network.configuration, environment: environment.name,
      steps: steps, iterations: iterations, optimizerSteps: optimizer.step, rewardScale: rewardScale)
    do {
      try Checkpoint.write(tensors, configuration: record, to: url)
    } catch { throw .checkpoint(error) }
  }

  /// Goes on where ``save(to:)`` left off. The number of steps of the whole training may be another one.
  /// - Throws: ``PPOError/checkpoint(_:)``, ``PPOError/otherTraining(file:what:)``
  public func resume(from url: URL) throws(PPOError) {
    let file = url.lastPathComponent
    do {
      let record = try Checkpoint.configuration(Record.self, from: url)
      var settings = record.configuration
      settings.totalSteps = configuration.totalSteps
      guard settings == configuration else {
        throw PPOError.otherTraining(file: file, what: "settings")
      }
      guard record.network == network.configuration else {
        throw PPOError.otherTraining(file: file, what: "networks")
      }
      guard record.environment == environment.name else {
        throw PPOError.otherTraining(file: file, what: "environments")
      }
      guard min(record.steps, record.iterations, record.optimizerSteps) >= 0 else {
        throw PPOError.otherTraining(file: file, what: "counters")
      }
      try Checkpoint.read(into: tensors, from: url)
      steps = record.steps
      iterations = record.iterations
      optimizer.didRestore(step: record.optimizerSteps)
      rewardScale = record.rewardScale
      rewardScale.startEpisodes(environments: configuration.environments)
    } catch let error as CheckpointError {
      throw .checkpoint(error)
    } catch let error as PPOError {
      throw error
    } catch {
      preconditionFailure("no other error is thrown here: \(error)")
    }
  }

  private var tensors: [String: Tensor] {
    network.parameters.state.merging(optimizer.state) { own, _ in own }
  }
}
