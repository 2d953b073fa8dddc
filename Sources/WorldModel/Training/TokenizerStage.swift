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
  private let training: TrainingConfiguration
  private let clips: ClipLoader
  /// All windows, one beside the other, where codes are placed; last windows; and those of each code, once the last codes are placed.
  private let windows: [ClipLoader.Origin]
  private let ends: [ClipLoader.Origin]
  private let windowsByCode: WindowsByCode
  private let validation: FrameBatch
  private let workers: Workers
  private let parallel: DataParallel
  private let statistics: [QuantizerStatistics]
  private let key: RandomKey

  init(
    _ tokenizer: Tokenizer, training: TrainingConfiguration, data: TrainingData, workers: Workers,
    seed: UInt64
  ) throws(ClipError) {
    self.tokenizer = tokenizer
    self.training = training
    configuration = training.tokenizer
    optimizer = Optimizer(
      tokenizer.parameters, configuration.optimizer, workers: workers)
    clips = try data.training(frames: configuration.time, batch: configuration.batch, seed: seed)
    windows = training.codePlacement == nil ? [] : data.windows(frames: configuration.time)
    windowsByCode = WindowsByCode(codes: tokenizer.vocabulary)
    ends = training.endShare > 0 ? data.lastWindows(frames: configuration.time) : []
    validation = try data.heldOut(frames: configuration.time, clips: 32)
    self.workers = workers
    parallel = DataParallel(tokenizer.parameters, workers: workers)
    statistics = (0..<workers.count).map { _ in QuantizerStatistics() }
    key = RandomKey(seed: seed).folded(in: "tokenizer")
  }

  var modelState: [String: Tensor] {
    training.rareShare > 0
      ? tokenizer.state.merging(["windowsByCode": windowsByCode.table]) { $1 } : tokenizer.state
  }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let placement = training.codePlacement ?? 0.9
    if training.codePlacement != nil, progress >= placement,
      progress * Double(step - 1) < placement * Double(step) * (1 - 1e-9)
    {
      var census = CodeCensus(tokenizer, clips: clips, origins: windows, workers: parallel.workers)
      census.placeUnusedCodes(patches: configuration.batch * configuration.time * tokenizer.tokens)
      windowsByCode.table.copy(from: census.windows.table)
    }
    let emphasis = rarityWeights()
    let origins = origins(step)
    let scale = 1 / Float(origins.count * clips.frames * tokenizer.tokens * tokenizer.patches.channels)
    let commitment = 0.05 * Float(tokenizer.patches.channels) * scale
    let (gradients, errors) = parallel.gradients(parts: origins.count) { [self] part, worker, tape in
      let clip = FrameBatch(clips.read([origins[part]]), of: clips)
      let target = clip.patches(tokenizer.patches, arena: tape.arena)
      let quantized = tokenizer.quantizer(
        tape, tokenizer.encode(tape, tape.constant(target)), scale: commitment, statistics: statistics[worker]
      )
      let decoded = tokenizer.decode(tape, quantized.vectors)
      guard let emphasis else {
        let error = tape.squaredError(decoded, target, scale: scale)
        return (tape.add(error, quantized.loss), error.value[0])
      }
      let weights = tape.arena.tensor(target.shape)
      let channels = tokenizer.patches.channels
      for (patch, code) in quantized.codes.enumerated() {
        (weights.pointer + patch * channels).update(repeating: emphasis[Int(code)], count: channels)
      }
      let error = tape.squaredError(decoded, target, weights: weights, scale: scale)
      return (tape.add(error, quantized.loss), error.value[0])
    }
    let norm = optimizer.update(gradients, progress: progress)
    tokenizer.quantizer.update(
      statistics, of: workers.collective, key: own.folded(in: 1), revive: progress < placement)
    return [
      ("psnr", Fidelity.psnr(meanSquaredError: Double(errors.reduce(0, +)))), ("gradientNorm", Double(norm)),
    ]
  }

  /// The clips of a step: windows of the video, a share of last windows, and a share of windows by code. Whoever takes a part of
  /// the step reads its clip.
  private func origins(_ step: Int) -> [ClipLoader.Origin] {
    let own = key.folded(in: "windows").folded(in: UInt64(step))
    return clips.origins(step).enumerated().map { index, origin in
      let key = own.folded(in: UInt64(index))
      let draw = Double(key.uniform(0))
      if draw < training.endShare, !ends.isEmpty { return ends[key.integer(1, below: ends.count)] }
      guard draw < training.endShare + training.rareShare else { return origin }
      // A table of tensors is exact up to 16 million.
      return windowsByCode.draw(key.folded(in: 2)).map { windows[min($0, windows.count - 1)] } ?? origin
    }
  }

  /// What a patch of each code counts, 1 on average; nil where all count the same.
  private func rarityWeights() -> [Float]? {
    guard training.rarityEmphasis > 0, tokenizer.quantizer.isPlaced else { return nil }
    let uses = tokenizer.quantizer.uses.values
    let total = max(1e-6, uses.reduce(0, +))
    // The rarest would otherwise drown the rest.
    let weights = uses.map { min(100, pow(max($0 / total, 1e-7), -training.rarityEmphasis)) }
    let mean = zip(uses, weights).reduce(0) { $0 + $1.0 / total * $1.1 }
    return weights.map { $0 / max(mean, 1e-6) }
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
