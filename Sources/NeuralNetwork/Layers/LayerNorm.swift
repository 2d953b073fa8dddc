import Autograd

/// (x - mean) / deviation * gain + bias over channels.
public struct LayerNorm: Sendable {
  public let gain: Parameter
  public let bias: Parameter

  public init(_ parameters: Parameters, _ name: String, channels: Int) {
    gain = parameters.make(name + ".gain", [channels], .vector, .constant(1))
    bias = parameters.make(name + ".bias", [channels], .vector, .constant(0))
  }

  public func callAsFunction(_ tape: Tape, _ x: Variable) -> Variable {
    tape.layerNorm(x, gain: tape.variable(gain), bias: tape.variable(bias))
  }
}
