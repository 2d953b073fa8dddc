import Autograd
import NeuralNetwork

/// The past of one world, as the model keeps it: the caches of its transformers, and the newest frame's tokens.
public struct WorldState: Sendable {
  public var dynamics: SpaceTimeCache
  public var decoder: SpaceTimeCache
  /// `[tokens]` of the newest frame.
  public var tokens: [Int32]

  /// - Parameter precision: of the dynamics' cache.
  public init(_ genie: Genie, precision: Precision) {
    dynamics = SpaceTimeCache(genie.dynamics.transformer.configuration, precision: precision)
    decoder = SpaceTimeCache(genie.tokenizer.decoder.configuration, precision: .float32)
    tokens = [Int32](repeating: 0, count: genie.tokenizer.tokens)
  }

  public mutating func clear() {
    dynamics.clear()
    decoder.clear()
  }

  public mutating func copy(from other: WorldState) {
    dynamics.copy(from: other.dynamics)
    decoder.copy(from: other.decoder)
    tokens = other.tokens
  }

  /// Bytes of the caches.
  public var byteCount: Int { dynamics.byteCount + decoder.byteCount }

  /// Of the frame that comes next.
  func age(isTold: Bool) -> Int32 { isTold ? Int32(clamping: dynamics.frames) : EpisodeAge.unknown }

  /// Goes on to the next frame: the one that was computed last is part of the past now.
  mutating func advance(_ tokens: [Int32]) {
    dynamics.advance()
    decoder.advance()
    self.tokens.withUnsafeMutableBufferPointer { target in _ = target.update(from: tokens) }
  }
}
