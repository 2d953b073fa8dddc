import Autograd
import NeuralNetwork

/// A forward and backward pass of a small video encoder over one clip: what its time and memory cost against the clip's length.
final class EncoderPass {
  private let transformer: SpaceTimeTransformer
  private let tape: Tape
  private let clip: Tensor

  init(_ attention: AttentionKind, frames: Int) {
    let parameters = Parameters(seed: 1)
    let configuration = SpaceTimeConfiguration(
      width: 64, blocks: 2, heads: 4, rows: 8, columns: 8, window: frames, attention: attention)
    transformer = SpaceTimeTransformer(parameters, "encoder", configuration)
    tape = Tape(arena: Arena(), gradients: Gradients(parameters))
    clip = Tensor(shape: [1, frames, configuration.tokens, configuration.width])
    let key = RandomKey(seed: 2)
    for i in 0..<clip.count { clip[i] = key.normal(UInt64(i)) }
  }

  /// - Returns: the bytes that activations and gradients took.
  @discardableResult
  func run() -> Int {
    tape.reset()
    let encoded = transformer(tape, tape.constant(clip))
    tape.backward(from: encoded, gradient: clip)
    return tape.arena.byteCount
  }
}
