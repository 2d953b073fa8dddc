import Autograd
import CKernels
import Environments
import NeuralNetwork

/// A convolutional network with two heads: which action to take, and what the future is worth.
///
/// Dimension keys: n observations, H W frame, C channels times stacked frames, A actions.
public struct ActorCritic: Sendable {
  public let configuration: ActorCriticConfiguration
  public let parameters: Parameters
  private let stages: [Convolution]
  private let trunk: Linear
  private let policyHead: Linear
  private let valueHead: Linear

  /// A network with orthogonal weights (Saxe et al. 2014): of gain sqrt(2) under rectifiers, of 0.01 for the
  /// policy, so that it starts almost uniform, and of 1 for the value.
  /// - Throws: ``PolicyError/unusable(reason:)``
  public init(_ configuration: ActorCriticConfiguration, seed: UInt64) throws(PolicyError) {
    let places = try configuration.outputOfStages()
    self.configuration = configuration
    parameters = Parameters(seed: seed)
    var channels = configuration.observationSpace.channels
    var stages: [Convolution] = []
    for (index, stage) in configuration.stages.enumerated() {
      stages.append(
        Convolution(
          parameters, "stage\(index)", channels: channels, filters: stage.filters, kernel: stage.kernel,
          stride: stage.stride, deviation: 0))
      channels = stage.filters
    }
    self.stages = stages
    trunk = Linear(
      parameters, "trunk", inputs: places.height * places.width * places.channels,
      outputs: configuration.hidden, activation: .relu, deviation: 0)
    policyHead = Linear(
      parameters, "policy", inputs: configuration.hidden, outputs: configuration.actions.count, role: .outer,
      deviation: 0)
    valueHead = Linear(
      parameters, "value", inputs: configuration.hidden, outputs: 1, role: .outer, deviation: 0)
    let key = RandomKey(seed: seed)
    for weight in stages.map(\.weight) + [trunk.weight] {
      weight.setOrthogonal(gain: 2.squareRoot(), key: key)
    }
    policyHead.weight.setOrthogonal(gain: 0.01, key: key)
    valueHead.weight.setOrthogonal(gain: 1, key: key)
  }

  /// - Parameter observations: `[n, H, W, C]` in 0...1, from ``observations(_:from:count:)``.
  /// - Returns: logits `[n, A]` and values `[n, 1]`.
  public func callAsFunction(
    _ tape: Tape, _ observations: Variable
  ) -> (logits: Variable, values: Variable) {
    var x = observations
    for stage in stages { x = stage(tape, x) }
    let count = observations.shape[0]
    x = tape.reshape(x, [count, x.value.count / max(1, count)])
    x = trunk(tape, x)
    return (policyHead(tape, x), valueHead(tape, x))
  }

  /// Observations as the network sees them, in the tape's arena.
  /// - Parameter rows: pointers to observations of `[H, W, C]` bytes each.
  /// - Returns: `[n, H, W, C]` in 0...1.
  public func observations(_ tape: Tape, rows: [UnsafePointer<UInt8>]) -> Variable {
    let space = configuration.observationSpace
    let pixels = tape.arena.tensor([rows.count, space.height, space.width, space.channels])
    for (index, row) in rows.enumerated() {
      ck_bytes_to_unit(row, pixels.pointer + index * space.byteCount, space.byteCount)
    }
    return tape.constant(pixels)
  }
}

extension Parameter {
  /// Fills a matrix `[inputs, outputs]` with `gain` times orthonormal rows or columns, whichever are fewer.
  func setOrthogonal(gain: Double, key: RandomKey) {
    let (rows, columns) = (value.shape[0], value.shape[1])
    let own = key.folded(in: name)
    let (count, length) = (min(rows, columns), max(rows, columns))
    var vectors: [[Double]] = []
    for index in 0..<count {
      var vector = (0..<length).map { Double(own.normal(UInt64(index * length + $0))) }
      // Gram-Schmidt, twice: once leaves what rounding brought back in.
      for _ in 0..<2 {
        for other in vectors {
          var along = 0.0
          for i in 0..<length { along += vector[i] * other[i] }
          for i in 0..<length { vector[i] -= along * other[i] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      vectors.append(vector.map { $0 / norm })
    }
    for row in 0..<rows {
      for column in 0..<columns {
        let entry = rows < columns ? vectors[row][column] : vectors[column][row]
        value.pointer[row * columns + column] = Float(gain * entry)
      }
    }
  }
}
