import Autograd
import NeuralNetwork

/// A Genie made ready to be sampled: weights packed for the processor, attention biases spread out. Its parameters do
/// not change any more. All samplers share one.
public struct PreparedGenie: Sendable {
  public let genie: Genie
  public let weights: PackedWeights
  let dynamics: PreparedBiases
  let decoder: PreparedBiases

  /// - Parameter precision: of products and caches.
  public init(_ genie: Genie, precision: Precision) {
    self.genie = genie
    weights = PackedWeights(
      genie.dynamics.parameters.all + genie.tokenizer.parameters.all, precision: precision)
    dynamics = PreparedBiases(genie.dynamics.transformer)
    decoder = PreparedBiases(genie.tokenizer.decoder)
  }

  public var precision: Precision { weights.precision }
}
