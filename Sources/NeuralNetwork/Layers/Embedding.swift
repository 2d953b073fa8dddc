import Autograd

/// A table of vectors, one for each code.
public struct Embedding: Sendable {
  public let table: Parameter

  public init(_ parameters: Parameters, _ name: String, entries: Int, channels: Int, deviation: Float = 0.1) {
    table = parameters.make(
      name + ".table", [entries, channels], .outer,
      deviation == 0 ? .constant(0) : .normal(standardDeviation: deviation))
  }

  /// - Parameter codes: in `0..<entries`.
  /// - Returns: `[shape..., channels]`.
  public func callAsFunction(_ tape: Tape, _ codes: ArraySlice<Int32>, shape: Shape) -> Variable {
    tape.embedding(tape.variable(table), codes, shape: shape)
  }
}
