import Autograd
import NeuralNetwork

/// The past of one world, as the model keeps it: the caches of its transformers, and the newest frame's tokens.
public struct WorldState: Sendable {
  public var dynamics: SpaceTimeCache
  /// Of frames that differ from the one before: one in which nothing changes is that frame once more, and is drawn as it was. (Video hardly
  /// shows pictures that stand still; what the decoder would make of them fades.)
  public var decoder: SpaceTimeCache
  /// `[tokens]` of the newest frame.
  public var tokens: [Int32]
  /// Whether the first of its frames is the first of an episode, so that the dynamics are told how old it is.
  public var knowsAge = false

  /// - Parameter precision: of the dynamics' cache.
  public init(_ genie: Genie, precision: Precision) {
    dynamics = SpaceTimeCache(genie.dynamics.transformer.configuration, precision: precision)
    decoder = SpaceTimeCache(genie.tokenizer.decoder.configuration, precision: .float32)
    tokens = [Int32](repeating: 0, count: genie.tokenizer.tokens)
  }

  /// - Parameter knowsAge: whether what comes next is the first frame of an episode.
  public mutating func clear(knowsAge: Bool = false) {
    dynamics.clear()
    decoder.clear()
    self.knowsAge = knowsAge
  }

  public mutating func copy(from other: WorldState) {
    dynamics.copy(from: other.dynamics)
    decoder.copy(from: other.decoder)
    tokens = other.tokens
    knowsAge = other.knowsAge
  }

  /// Bytes of the caches.
  public var byteCount: Int { dynamics.byteCount + decoder.byteCount }

  /// Of the frame that comes next.
  var age: Int32 { knowsAge ? Int32(clamping: dynamics.frames) : EpisodeAge.unknown }

  /// What the decoder is to see before a frame of these tokens.
  func decoder(before tokens: [Int32]) -> SpaceTimeCache {
    var past = decoder
    if past.frames > 0, tokens == self.tokens { past.retreat() }
    return past
  }

  /// Goes on to the next frame: the one that was computed last is part of the past now.
  mutating func advance(_ tokens: [Int32]) {
    dynamics.advance()
    decoder = decoder(before: tokens)
    decoder.advance()
    self.tokens.withUnsafeMutableBufferPointer { target in _ = target.update(from: tokens) }
  }
}
