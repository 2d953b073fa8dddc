import Autograd
import Foundation
import NeuralNetwork
import Testing
import Video

@testable import WorldModel

extension GenieConfiguration {
  /// As small as can be: frames of 16 x 16, 16 tokens of 12 codes, 4 actions.
  static func sample(
    conditioning: ActionConditioningKind = .film, window: Int = 3, motionRadius: Int = 1,
    neighbourhood: Int = 0
  ) -> GenieConfiguration {
    GenieConfiguration(
      tokenizer: TokenizerConfiguration(
        height: 16, width: 16, patch: 4, channels: 16, heads: 2, encoderBlocks: 1, decoderBlocks: 1,
        window: window,
        codebook: .init(codes: 12, width: 4), encoderPositions: true),
      latentActions: LatentActionConfiguration(
        height: 16, width: 16, pooling: 2, patch: 4, channels: 16, heads: 2, encoderBlocks: 1,
        decoderBlocks: 1,
        window: window, motionRadius: motionRadius,
        codebook: .init(codes: 4, width: 4, decay: 0.9, deadBelow: 0.1),
        conditioning: conditioning),
      dynamics: DynamicsConfiguration(
        rows: 4, columns: 4, vocabulary: 12, actions: 4, actionWidth: 4, channels: 16, blocks: 2, heads: 2,
        window: window, conditioning: conditioning, neighbourhood: neighbourhood),
      sampling: SamplingConfiguration(steps: 3, temperature: 1))
  }
}

extension Genie {
  /// With parameters far from where they start, so that no branch is nearly zero.
  static func sample(_ configuration: GenieConfiguration = .sample()) throws -> Genie {
    let genie = try Genie(configuration, seed: 1)
    for (index, parameters) in [
      genie.tokenizer.parameters, genie.latentActions.parameters, genie.dynamics.parameters,
    ].enumerated() {
      let key = RandomKey(seed: 100 + UInt64(index))
      for parameter in parameters.all {
        let own = key.folded(in: parameter.name)
        for i in 0..<parameter.value.count { parameter.value[i] += 0.3 * own.normal(UInt64(i)) }
      }
    }
    genie.dynamics.actionVectors.copy(from: genie.latentActions.quantizer.codebook)
    return genie
  }
}

extension Tensor {
  /// Normal numbers, the same for the same seed.
  static func random(_ shape: Shape, seed: UInt64, scale: Float = 1) -> Tensor {
    let key = RandomKey(seed: seed)
    return Tensor((0..<shape.count).map { scale * key.normal(UInt64($0)) }, shape: shape)
  }

  /// Adds to all values of frame `t` of a clip, `[1, time, ...]`.
  func disturb(frame t: Int) {
    let size = count / shape[1]
    for i in 0..<size { self[t * size + i] += 1 + Float(i % 3) }
  }

  /// Values of frame `t` of a clip, `[1, time, ...]`.
  func frame(_ t: Int) -> [Float] { Array(values[t * (count / shape[1])..<(t + 1) * (count / shape[1])]) }
}

/// Pictures in which a bright square walks over a fixed pattern; every step is drawn from the seed.
func walkingSquare(frames: Int, seed: UInt64, size: Int = 16) -> [UInt8] {
  let key = RandomKey(seed: seed)
  var (x, y) = (key.integer(1 << 40, below: size), key.integer(1 << 41, below: size))
  return (0..<frames).flatMap { t -> [UInt8] in
    let step = key.integer(UInt64(t), below: 4)
    x = (x + [0, 1, 0, size - 1][step] * 2) % size
    y = (y + [1, 0, size - 1, 0][step] * 2) % size
    return (0..<size * size).flatMap { pixel -> [UInt8] in
      let (row, column) = (pixel / size, pixel % size)
      let inside = (row + size - y) % size < 4 && (column + size - x) % size < 4
      return inside ? [250, 200, 30] : [UInt8(row * 8), UInt8(column * 8), 60]
    }
  }
}

func sampleClip(frames: Int, seed: UInt64 = 1) -> FrameBatch {
  FrameBatch(clips: 1, time: frames, height: 16, width: 16, bytes: walkingSquare(frames: frames, seed: seed))
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? 0 }
