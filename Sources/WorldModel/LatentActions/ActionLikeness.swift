import Autograd
import NeuralNetwork

/// Which latent actions do the same, as the decoder sees it.
///
/// Where video shows fewer actions than there are codes, two codes stand for one. Nothing then says which of them a transition is
/// given, and they may share the pictures out among themselves: each would be learned in its own pictures only, and would do in the
/// others what was never seen. The decoder tells such codes by this, that either foretells the other's frames as well.
public struct ActionLikeness: Sendable {
  /// `[action that was inferred][action in its place]`: mean squared error of the frame it leads to, weighted as in training.
  let errors: [[Double]]
  /// How many transitions each action was inferred of.
  let uses: [Int]

  /// - Parameters:
  ///   - clips: single ones, of which the last transition is looked at.
  ///   - emphasis: as the latent actions were trained with, ``TrainingConfiguration/motionEmphasis``.
  public init(_ model: LatentActionModel, clips: [FrameBatch], emphasis: Float, workers: Workers) {
    let weights = MotionWeights(radius: max(1, model.configuration.motionRadius), emphasis: emphasis)
    let found = Slots<(inferred: Int, errors: [Double])>(count: clips.count)
    workers.run { worker in
      let arena = Arena()
      for index in stride(from: worker, to: clips.count, by: workers.count) {
        arena.reset()
        found[index] = Self.errors(model, clips[index], weights, arena)
      }
    }
    let none = [Double](repeating: 0, count: model.actions)
    var errors = [[Double]](repeating: none, count: model.actions)
    var uses = [Int](repeating: 0, count: model.actions)
    for one in found.all {
      uses[one.inferred] += 1
      for (action, error) in one.errors.enumerated() { errors[one.inferred][action] += error }
    }
    self.init(
      errors: zip(errors, uses).map { row, uses in row.map { $0 / Double(max(1, uses)) } }, uses: uses)
  }

  /// Of one clip's last transition.
  private static func errors(
    _ model: LatentActionModel, _ clip: FrameBatch, _ weights: MotionWeights, _ arena: Arena
  ) -> (inferred: Int, errors: [Double]) {
    let tape = Tape(arena: arena)
    let seen = model.transitions(clip, arena: arena)
    let weight = seen.pooled.map { weights.weights($0, patches: model.patches, arena: arena) }
    var codes = model.codes(clip, arena: arena)
    let inferred = Int(codes.last!)
    let last = seen.change.count / codes.count
    let errors = (0..<model.actions).map { action in
      codes[codes.count - 1] = Int32(action)
      let vectors = model.quantizer.vectors(codes[...], shape: [1, codes.count], arena: arena)
      let predicted = model.predictChange(tape, tape.constant(seen.frames), codes: tape.constant(vectors))
        .value
      let sum = (seen.change.count - last..<seen.change.count).reduce(0.0) { sum, i in
        let difference = predicted[i] - seen.change[i]
        return sum + Double((weight?[i] ?? 1) * difference * difference)
      }
      return sum / Double(last)
    }
    return (inferred, errors)
  }

  init(errors: [[Double]], uses: [Int]) {
    self.errors = errors
    self.uses = uses
  }

  /// By how much each action in another's place changes the error, over what others do on average: `[action that was inferred][action
  /// in its place]`, 0 where it is the same.
  public var changes: [[Double]] {
    errors.enumerated().map { action, row in
      let changes = row.map { abs($0 - row[action]) }
      let mean = changes.reduce(0, +) / Double(max(1, row.count - 1))
      return changes.map { mean > 0 ? $0 / mean : 0 }
    }
  }

  /// Of each action the one that stands for all that do the same, which is the commonest of them.
  /// - Parameter share: two actions are the same where neither ``changes`` the error by more in the other's place; 0 keeps all
  ///   apart.
  func leaders(share: Double) -> [Int] {
    let changes = changes
    var leaders = Array(errors.indices)
    var found: [Int] = []
    for action in errors.indices.sorted(by: { (uses[$0], $1) > (uses[$1], $0) }) where share > 0 {
      if let leader = found.first(where: { max(changes[$0][action], changes[action][$0]) <= share }) {
        leaders[action] = leader
      } else {
        found.append(action)
      }
    }
    return leaders
  }
}
