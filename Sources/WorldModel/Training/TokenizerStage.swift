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
  private let ends: [ClipLoader.Origin]
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
    ends = training.endShare > 0 ? data.lastWindows(frames: configuration.time) : []
    validation = try data.heldOut(frames: configuration.time, clips: 32)
    self.workers = workers
    parallel = DataParallel(tokenizer.parameters, workers: workers)
    statistics = (0..<workers.count).map { _ in QuantizerStatistics() }
    key = RandomKey(seed: seed).folded(in: "tokenizer")
  }

  var modelState: [String: Tensor] { tokenizer.state }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    let placement = training.codePlacement ?? 0.9
    if training.codePlacement != nil, progress >= placement,
      progress * Double(step - 1) < placement * Double(step)
    {
      placeUnusedCodes(after: step)
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

  /// The clips of a step: windows of the video, and a share of last windows. Whoever takes a part of the step reads its clip.
  private func origins(_ step: Int) -> [ClipLoader.Origin] {
    guard !ends.isEmpty else { return clips.origins(step) }
    let own = key.folded(in: "ends").folded(in: UInt64(step))
    return clips.origins(step).enumerated().map { index, origin in
      Double(own.uniform(UInt64(2 * index))) < training.endShare
        ? ends[own.integer(UInt64(2 * index + 1), below: ends.count)] : origin
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

  /// The cosine from which on a patch needs no code of its own.
  private static let wellServed: Float = 0.999

  /// Puts codes that no patch of many batches uses where patches are served worst, one after the other: a patch that is
  /// seldom seen would otherwise never keep a code.
  private func placeUnusedCodes(after step: Int) {
    let (quantizer, width) = (tokenizer.quantizer, tokenizer.configuration.codebook.width)
    let arena = Arena()
    var (vectors, codes, total): ([Float], [Int32], Int) = ([], [], 0)
    var uses = [Float](repeating: 0, count: tokenizer.vocabulary)
    for round in 1...1000 {
      let batch = FrameBatch(clips.read(origins(step + round)), of: clips)
      arena.reset()
      let tape = Tape(arena: arena)
      let x = tape.constant(batch.patches(tokenizer.patches, arena: arena))
      let unit = tape.normalize(tokenizer.encode(tape, x)).value
      let nearest = quantizer.nearest(unit, arena: arena)
      for (row, code) in nearest.enumerated() {
        uses[Int(code)] += 1
        var similarity: Float = 0
        for c in 0..<width { similarity += unit[row * width + c] * quantizer.codebook[Int(code) * width + c] }
        // Most patches are served well, and are not candidates.
        guard similarity < Self.wellServed else { continue }
        codes.append(code)
        for c in 0..<width { vectors.append(unit[row * width + c]) }
      }
      total += nearest.count
    }
    var centres = quantizer.codebook.values
    var similarities = [Float](repeating: 0, count: codes.count)
    func similarity(_ row: Int, _ code: Int) -> Float {
      (0..<width).reduce(0) { $0 + vectors[row * width + $1] * centres[code * width + $1] }
    }
    for (row, code) in codes.enumerated() { similarities[row] = similarity(row, Int(code)) }
    for code in uses.indices where uses[code] == 0 {
      guard let worst = similarities.indices.min(by: { similarities[$0] < similarities[$1] }),
        similarities[worst] < Self.wellServed
      else { break }
      for c in 0..<width { centres[code * width + c] = vectors[worst * width + c] }
      for row in similarities.indices { similarities[row] = max(similarities[row], similarity(row, code)) }
    }
    let batches = Float(total) / Float(clips.batchSize * clips.frames * tokenizer.tokens)
    quantizer.place(centres: centres, uses: uses.map { max(0.01, $0 / batches) })
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
