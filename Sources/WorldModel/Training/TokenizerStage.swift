import Autograd
import Foundation
import NeuralNetwork
import Video

/// Trains the tokenizer: squared error of pixels, and codes as running means.
// The workers of a step only read the stage; what a step changes, it changes between them.
final class TokenizerStage: TrainingStage, @unchecked Sendable {
  let name = "tokenizer"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let tokenizer: Tokenizer
  private let clips: ClipLoader
  private let validation: FrameBatch
  private let parallel: DataParallel
  private let statistics: [QuantizerStatistics]
  private let key: RandomKey

  init(
    _ tokenizer: Tokenizer, training: TrainingConfiguration, data: TrainingData, workers: Workers,
    seed: UInt64
  ) throws(ClipError) {
    self.tokenizer = tokenizer
    configuration = training.tokenizer
    optimizer = Optimizer(
      tokenizer.parameters, configuration.optimizer, workers: workers, precision: training.precision)
    clips = try data.training(frames: configuration.time, batch: configuration.batch, seed: seed)
    validation = try data.heldOut(frames: configuration.time, clips: 32)
    parallel = DataParallel(tokenizer.parameters, workers: workers, precision: training.precision)
    statistics = (0..<workers.count).map { _ in QuantizerStatistics() }
    key = RandomKey(seed: seed).folded(in: "tokenizer")
  }

  var modelState: [String: Tensor] { tokenizer.state }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let batch = FrameBatch(clips.batch(step), of: clips)
    let scale = 1 / Float(batch.bytes.count)
    let commitment = 0.05 * Float(tokenizer.patches.channels) * scale
    let (gradients, errors) = parallel.gradients(parts: batch.clips) { [self] part, worker, tape in
      let target = batch.clips(part..<part + 1).patches(tokenizer.patches, arena: tape.arena)
      let quantized = tokenizer.quantizer(
        tape, tokenizer.encode(tape, tape.constant(target)), scale: commitment, statistics: statistics[worker]
      )
      let error = tape.squaredError(tokenizer.decode(tape, quantized.vectors), target, scale: scale)
      return (tape.add(error, quantized.loss), error.value[0])
    }
    let norm = optimizer.update(gradients, progress: progress)
    tokenizer.quantizer.update(statistics, key: own.folded(in: 1), revive: progress < 0.9)
    return [
      ("psnr", Fidelity.psnr(meanSquaredError: Double(errors.reduce(0, +)))), ("gradientNorm", Double(norm)),
    ]
  }

  func validate() -> Figures {
    let arena = Arena()
    var (errors, used): ([Double], Set<Int32>) = ([], [])
    for clip in 0..<validation.clips {
      arena.reset()
      let one = validation.clips(clip..<clip + 1)
      let codes = tokenizer.encode(one, arena: arena)
      used.formUnion(codes)
      let decoded = tokenizer.decode(codes, clips: 1, time: one.time, arena: arena)
      errors.append(Fidelity.meanSquaredError(one.bytes, decoded.bytes))
    }
    return [
      ("psnr", Fidelity.psnr(meanSquaredError: errors.reduce(0, +) / Double(errors.count))),
      ("codes", Double(used.count)),
    ]
  }
}
