import Autograd
import Foundation
import NeuralNetwork

/// A Genie made ready to be sampled: weights packed for the processor, attention biases spread out. Its parameters do
/// not change any more. All samplers share one.
public struct PreparedGenie: Sendable {
  public let genie: Genie
  /// Of products and caches of the dynamics. The decoder draws what is seen, and what bf16 rounds off would be (0.3 to 1 dB
  /// of 42); it is a small part of a frame, and always Float32.
  public let precision: Precision
  /// Says which actions are done as others, where the sampling asks for it.
  public let odds: ActionOdds?
  let dynamicsWeights: PackedWeights
  let decoderWeights: PackedWeights
  let dynamics: PreparedBiases
  let decoder: PreparedBiases

  public init(_ genie: Genie, precision: Precision, odds: ActionOdds? = nil) {
    self.init(genie, precision: precision, odds: odds, packed: (nil, nil))
  }

  private init(
    _ genie: Genie, precision: Precision, odds: ActionOdds?,
    packed: (dynamics: StoredValues?, decoder: StoredValues?)
  ) {
    self.genie = genie
    self.precision = precision
    self.odds = odds
    dynamicsWeights = PackedWeights(
      genie.dynamics.parameters.all, precision: precision, stored: packed.dynamics)
    decoderWeights = PackedWeights(
      genie.tokenizer.parameters.all, precision: .float32, stored: packed.decoder)
    dynamics = PreparedBiases(genie.dynamics.transformer)
    decoder = PreparedBiases(genie.tokenizer.decoder)
  }

  /// Opens what ``write(to:)`` wrote: the packed weights stay in the files, and processes that have opened the same share
  /// one copy of them.
  /// - Throws: ``CheckpointError/unreadable(_:)``
  public init(
    _ genie: Genie, precision: Precision, odds: ActionOdds? = nil, packedIn folder: URL
  ) throws(CheckpointError) {
    self.init(
      genie, precision: precision, odds: odds,
      packed: (
        try MappedCheckpoint(folder.appending(path: "dynamics.\(precision.rawValue).packed")),
        try MappedCheckpoint(folder.appending(path: "decoder.packed"))
      ))
  }

  /// Writes the packed weights. They are of use to this machine's processes alone, and while the world is what it is now.
  /// - Throws: ``CheckpointError/unwritable(_:)``
  public func write(to folder: URL) throws(CheckpointError) {
    try Checkpoint.write(
      dynamicsWeights.byName, configuration: precision,
      to: folder.appending(path: "dynamics.\(precision.rawValue).packed"))
    try Checkpoint.write(
      decoderWeights.byName, configuration: Precision.float32, to: folder.appending(path: "decoder.packed"))
  }
}
