import Autograd

/// A bank of filters over pictures.
public struct Convolution: Sendable {
  public let weight: Parameter
  public let bias: Parameter
  public let kernel: Int
  public let stride: Int
  public let padding: Int
  public let activation: Activation

  public init(
    _ parameters: Parameters, _ name: String, channels: Int, filters: Int, kernel: Int, stride: Int = 1,
    padding: Int = 0, activation: Activation = .relu, deviation: Float? = nil
  ) {
    let inputs = kernel * kernel * channels
    weight = parameters.make(
      name + ".weight", [inputs, filters], .outer,
      .normal(standardDeviation: deviation ?? (2 / Float(inputs)).squareRoot()))
    bias = parameters.make(name + ".bias", [filters], .vector, .constant(0))
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.activation = activation
  }

  /// - Parameter x: `[batch, height, width, channels]`.
  public func callAsFunction(_ tape: Tape, _ x: Variable) -> Variable {
    tape.convolution(
      x, weight: tape.variable(weight), bias: tape.variable(bias), kernel: kernel, stride: stride,
      padding: padding,
      activation: activation)
  }
}
