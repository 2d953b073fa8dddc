import Autograd
import CKernels
import NeuralNetwork
import Video

/// Trains the latent action model.
///
/// With a codebook from the first step, codes collapse or come to describe the scenery. So vectors first are
/// continuous (of length 1, with noise), until they hold what moves; then k-means places the codes among them.
// The workers of a step only read the stage; what a step changes, it changes between them.
final class LatentActionStage: TrainingStage, @unchecked Sendable {
  let name = "latent_actions"
  let configuration: StageConfiguration
  let optimizer: Optimizer
  private let model: LatentActionModel
  private let training: TrainingConfiguration
  private let clips: ClipLoader
  private let validation: FrameBatch
  private let workers: Workers
  private let parallel: DataParallel
  private let statistics: [QuantizerStatistics]
  private let weights: MotionWeights
  private let key: RandomKey
  /// Clips of a part: enough that matrices are worth a product.
  private let part = 4

  init(
    _ model: LatentActionModel, training: TrainingConfiguration, data: TrainingData, workers: Workers,
    seed: UInt64
  ) throws(ClipError) {
    self.model = model
    self.training = training
    configuration = training.latentActions
    optimizer = Optimizer(
      model.parameters, configuration.optimizer, workers: workers, precision: training.precision)
    clips = try data.training(frames: configuration.time, batch: configuration.batch, seed: seed &+ 1)
    validation = try data.heldOut(frames: configuration.time, clips: 64)
    self.workers = workers
    parallel = DataParallel(model.parameters, workers: workers, precision: training.precision)
    statistics = (0..<workers.count).map { _ in QuantizerStatistics() }
    weights = MotionWeights(
      radius: max(1, model.configuration.motionRadius), emphasis: training.motionEmphasis)
    key = RandomKey(seed: seed).folded(in: "latentActions")
  }

  var modelState: [String: Tensor] { model.state }

  func step(_ step: Int, progress: Double) -> Figures {
    let own = key.folded(in: UInt64(step))
    if progress >= training.continuousShare, !model.quantizer.isPlaced {
      placeCodes(after: step, key: own.folded(in: 9))
    }
    let origins = clips.origins(step)
    let parts = (origins.count + part - 1) / part
    let transitions = Float(origins.count * (clips.frames - 1))
    let scale = 1 / (transitions * Float(model.patches.count * model.predictedValues))
    let quantizes = model.quantizer.isPlaced
    let (gradients, reports) = parallel.gradients(parts: parts) { [self] index, worker, tape in
      let range = index * part..<min(origins.count, (index + 1) * part)
      let batch = FrameBatch(clips.read(Array(origins[range])), of: clips)
      let rolls = range.map {
        own.folded(in: 2).integer(UInt64($0), below: batch.height / model.configuration.pooling)
      }
      let seen = model.transitions(batch, rolls: rolls, arena: tape.arena)
      let vectors = model.encode(tape, tape.constant(seen.features))
      var (codes, commitment): (Variable, Variable?) = (vectors, nil)
      if quantizes {
        let quantized = model.quantizer(
          tape, vectors, scale: 0.1 / transitions, statistics: statistics[worker])
        (codes, commitment) = (quantized.vectors, quantized.loss)
      } else {
        let noise = tape.arena.tensor(vectors.shape)
        let numbers = own.folded(in: 3).folded(in: UInt64(index))
        let place = noise.pointer
        for i in 0..<noise.count { place[i] = numbers.normal(UInt64(i)) * training.continuousNoise }
        codes = tape.add(tape.normalize(vectors), tape.constant(noise))
      }
      let error = predictionError(tape, seen, codes: codes, scale: scale)
      return (commitment.map { tape.add(error, $0) } ?? error, error.value[0])
    }
    let norm = optimizer.update(gradients, progress: progress)
    if quantizes {
      model.quantizer.update(
        statistics, of: workers.collective, key: own.folded(in: 4), revive: progress < 0.6)
    }
    return [
      ("psnr", Fidelity.psnr(meanSquaredError: Double(reports.reduce(0, +)))), ("gradientNorm", Double(norm)),
    ]
  }

  private func predictionError(
    _ tape: Tape, _ seen: LatentActionModel.Transitions, codes: Variable, scale: Float
  ) -> Variable {
    let weight = seen.pooled.map { weights.weights($0, patches: model.patches, arena: tape.arena) }
    let predicted = model.predictChange(tape, tape.constant(seen.frames), codes: codes)
    return tape.squaredError(predicted, seen.change, weights: weight, scale: scale)
  }

  /// Continuous vectors of many clips, and k-means over them.
  private func placeCodes(after step: Int, key: RandomKey) {
    let vectors = vectors(after: step)
    let width = model.configuration.codebook.width
    let found = KMeans.spherical(
      vectors, width: width, clusters: model.actions, key: key.folded(in: 1 << 20))
    let transitions = Float(configuration.batch * (configuration.time - 1))
    model.quantizer.place(centres: found.centres, uses: found.shares.map { max($0, 1e-3) * transitions })
  }

  func finish() {
    shareOut()
    let steps = configuration.steps
    let some = (1...30).flatMap { round in
      let batch = FrameBatch(clips.batch(steps + round), of: clips)
      return (0..<batch.clips).map { batch.clips($0..<$0 + 1) }
    }
    let likeness = ActionLikeness(model, clips: some, emphasis: training.motionEmphasis, workers: workers)
    model.merge(likeness.leaders(share: training.leastActionEffect))
  }

  /// Shares the commonest actions out to codes that hardly any transition uses.
  ///
  /// Where the video shows fewer actions than there are codes, some codes come to nothing, and the dynamics model would
  /// never learn what they do. Each is given one half of the vectors of the code used most, so that all mean something.
  private func shareOut() {
    let width = model.configuration.codebook.width
    let vectors = vectors(after: configuration.steps)
    let codebook = model.quantizer.codebook
    for round in 0..<model.actions {
      let codes = model.quantizer.nearest(
        Tensor(vectors, shape: [vectors.count / width, width]), arena: Arena())
      var uses = [Int](repeating: 0, count: model.actions)
      for code in codes { uses[Int(code)] += 1 }
      let rarest = uses.indices.min { uses[$0] < uses[$1] }!
      let commonest = uses.indices.max { uses[$0] < uses[$1] }!
      guard Double(uses[rarest]) < training.leastActionShare * Double(codes.count) else { return }
      let members = codes.indices.filter { codes[$0] == Int32(commonest) }
        .flatMap { vectors[$0 * width..<($0 + 1) * width] }
      let halves = KMeans.spherical(
        members, width: width, clusters: 2, key: key.folded(in: "halves").folded(in: UInt64(round)))
      for c in 0..<width {
        codebook[commonest * width + c] = halves.centres[c]
        codebook[rarest * width + c] = halves.centres[width + c]
      }
    }
  }

  /// Vectors of length 1 of many transitions: those of the batches after `step`.
  private func vectors(after step: Int) -> [Float] {
    let arena = Arena()
    var vectors: [Float] = []
    for round in 1...30 {
      let batch = FrameBatch(clips.batch(step + round), of: clips)
      for start in stride(from: 0, to: batch.clips, by: part) {
        arena.reset()
        let tape = Tape(arena: arena)
        let seen = model.transitions(
          batch.clips(start..<min(batch.clips, start + part)), arena: arena)
        vectors += tape.normalize(model.encode(tape, tape.constant(seen.features))).value.values
      }
    }
    return vectors
  }

  func validate() -> Figures {
    let arena = Arena()
    var (inferred, random) = (0.0, 0.0)
    var uses = [Int](repeating: 0, count: model.actions)
    for clip in 0..<validation.clips {
      arena.reset()
      let tape = Tape(arena: arena)
      let one = validation.clips(clip..<clip + 1)
      let seen = model.transitions(one, arena: arena)
      let codes = model.infer(one, arena: arena)
      for code in codes { uses[Int(code)] += 1 }
      let others = codes.indices.map {
        Int32(key.integer(UInt64(clip * 64 + $0), below: model.actions))
      }
      let scale = 1 / Float(codes.count * model.patches.count * model.predictedValues)
      for (chosen, add) in [(codes, { inferred += $0 }), (others, { random += $0 })]
        as [([Int32], (Double) -> Void)]
      {
        let vectors = model.quantizer.vectors(chosen[...], shape: [1, chosen.count], arena: arena)
        add(Double(predictionError(tape, seen, codes: tape.constant(vectors), scale: scale).value[0]))
      }
    }
    let count = Double(validation.clips)
    let psnr = Fidelity.psnr(meanSquaredError: inferred / count)
    let total = Double(uses.reduce(0, +))
    return [
      ("psnr", psnr), ("gain", psnr - Fidelity.psnr(meanSquaredError: random / count)),
      ("leastUsed", Double(uses.min()!) / total), ("mostUsed", Double(uses.max()!) / total),
    ]
  }
}
