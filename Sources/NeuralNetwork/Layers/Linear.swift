import Autograd

/// x W + b, with an activation.
public struct Linear: Sendable {
  public let weight: Parameter
  public let bias: Parameter?
  public let activation: Activation

  /// - Parameter deviation: of the initial weights; nil takes 1 / sqrt(inputs).
  public init(
    _ parameters: Parameters, _ name: String, inputs: Int, outputs: Int, bias: Bool = true,
    activation: Activation = .none, role: Parameter.Role = .hidden, deviation: Float? = nil
  ) {
    let deviation = deviation ?? 1 / Float(inputs).squareRoot()
    weight = parameters.make(
      name + ".weight", [inputs, outputs], role,
      deviation == 0 ? .constant(0) : .normal(standardDeviation: deviation))
    self.bias = bias ? parameters.make(name + ".bias", [outputs], .vector, .constant(0)) : nil
    self.activation = activation
  }

  /// - Parameters:
  ///   - x: `[..., inputs]`.
  ///   - residual: `[..., outputs]`, added to the sums.
  public func callAsFunction(_ tape: Tape, _ x: Variable, residual: Variable? = nil) -> Variable {
    tape.linear(
      x, weight: tape.variable(weight), bias: bias.map(tape.variable), activation: activation,
      residual: residual)
  }
}
