/// A value of the graph: a tensor, and its place on the tape where a gradient is wanted.
public struct Variable {
  public let value: Tensor
  /// Place of its gradient on the tape; negative where none is wanted.
  let place: Int

  public var shape: Shape { value.shape }
}

/// Records operations and plays them backward.
///
/// Nodes are coarse: one for a linear layer or an attention, with its own backward pass beside it. A tape
/// belongs to one worker; its activations and gradients live in the worker's arena. A tape that does not
/// record runs the same operations and keeps nothing.
public final class Tape {
  public let arena: Arena
  /// Where the gradients of parameters go; nil where the tape does not record.
  public let gradients: Gradients?
  /// Told of every operation, where somebody wants to know what the time goes to.
  public var profile: Profile?
  private var nodes: [(Tape) -> Void] = []
  private var variableGradients: [Tensor?] = []

  /// A tape that records.
  public init(arena: Arena, gradients: Gradients) {
    self.arena = arena
    self.gradients = gradients
  }

  /// A tape that only computes.
  public init(arena: Arena) {
    self.arena = arena
    gradients = nil
  }

  public var isRecording: Bool { gradients != nil }

  /// A value without a gradient: data, or something that gradients must not pass.
  public func constant(_ tensor: Tensor) -> Variable { Variable(value: tensor, place: -1) }

  /// A value whose gradient is wanted (for tests, and for inputs that are trained otherwise).
  public func input(_ tensor: Tensor) -> Variable { isRecording ? track(tensor) : constant(tensor) }

  /// A parameter as a value: its gradient goes to ``gradients``.
  public func variable(_ parameter: Parameter) -> Variable {
    guard let gradients, gradients.parameters === parameter.parameters else {
      return constant(parameter.value)
    }
    variableGradients.append(gradients.tensor(parameter))
    return Variable(value: parameter.value, place: variableGradients.count - 1)
  }

  /// Empties the tape and its arena for the next step.
  public func reset() {
    nodes.removeAll(keepingCapacity: true)
    variableGradients.removeAll(keepingCapacity: true)
    arena.reset()
  }

  /// Plays the tape backward from a scalar (or from any value, with the given gradient).
  public func backward(from output: Variable, gradient: Tensor? = nil) {
    precondition(output.place >= 0, "nothing was recorded that leads to this value")
    precondition(
      gradient != nil || output.value.count == 1, "\(output.shape) is no scalar: give its gradient")
    let seed = self.gradient(of: output)!
    if let gradient { seed.copy(from: gradient) } else { seed.fill(1) }
    for node in nodes.reversed() { node(self) }
  }

  // What operations use.

  /// A result that depends on `inputs`, with the pass that carries its gradient back to them.
  /// - Parameters:
  ///   - flops: of the forward pass, multiply-adds of matrices times two; backward takes twice as many.
  ///   - operation: whose time it was, for the ``profile``.
  ///   - backward: gets the gradient of the result; adds to the gradients of the inputs.
  func record(
    _ value: Tensor, from inputs: [Variable], flops: Double = 0, operation: String = #function,
    backward: @escaping (Tape, Tensor) -> Void
  ) -> Variable {
    if let profile { profile.mark(operation.operationName, flops: flops) }
    guard isRecording, inputs.contains(where: { $0.place >= 0 }) else { return constant(value) }
    let result = track(value)
    if profile != nil {
      nodes.append { tape in
        guard let gradient = tape.variableGradients[result.place] else { return }
        backward(tape, gradient)
        tape.profile?.mark(operation.operationName + " backward", flops: 2 * flops)
      }
      return result
    }
    nodes.append { tape in
      guard let gradient = tape.variableGradients[result.place] else { return }
      backward(tape, gradient)
    }
    return result
  }

  /// The gradient of a variable, zero at first; nil where none is wanted.
  public func gradient(of variable: Variable) -> Tensor? {
    guard variable.place >= 0 else { return nil }
    if let gradient = variableGradients[variable.place] { return gradient }
    let gradient = arena.zeros(variable.shape)
    variableGradients[variable.place] = gradient
    return gradient
  }

  private func track(_ tensor: Tensor) -> Variable {
    variableGradients.append(nil)
    return Variable(value: tensor, place: variableGradients.count - 1)
  }
}

extension String {
  /// `linear` of `linear(_:weight:)`.
  fileprivate var operationName: String { String(prefix { $0 != "(" }) }
}
