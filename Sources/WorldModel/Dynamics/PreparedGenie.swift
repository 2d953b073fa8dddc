import Autograd
import NeuralNetwork

/// A Genie made ready to be sampled: weights packed for the processor, attention biases spread out. Its parameters do
/// not change any more. All samplers share one.
public struct PreparedGenie: Sendable {
  public let genie: Genie
  /// Of products and caches of the dynamics. The decoder draws what is seen, and what bf16 rounds off would be (0.3 to 1 dB
  /// of 42); it is a small part of a frame, and always Float32.
  public let precision: Precision
  let dynamicsWeights: PackedWeights
  let decoderWeights: PackedWeights
  let dynamics: PreparedBiases
  let decoder: PreparedBiases

  public init(_ genie: Genie, precision: Precision) {
    self.genie = genie
    self.precision = precision
    dynamicsWeights = PackedWeights(genie.dynamics.parameters.all, precision: precision)
    decoderWeights = PackedWeights(genie.tokenizer.parameters.all, precision: .float32)
    dynamics = PreparedBiases(genie.dynamics.transformer)
    decoder = PreparedBiases(genie.tokenizer.decoder)
  }
}
