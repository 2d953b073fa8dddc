import CKernels

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
  /// Of the operands of matrix products.
  public let precision: Precision
  /// Weights that are packed already, for a tape that only computes.
  public let weights: PackedWeights?
  /// The rows that this tape computes of each frame; nil for all of them.
  public let member: TeamMember?
  /// Told of every operation, where somebody wants to know what the time goes to.
  public var profile: Profile?
  private var nodes: [(Tape) -> Void] = []
  private var variableGradients: [Tensor?] = []
  /// Gradients that were passed on: their memory is used again before it leaves the cache.
  private var spare: [Tensor] = []
  /// The result whose backward pass is running.
  private var played = -1

  /// A tape that records.
  public init(arena: Arena, gradients: Gradients, precision: Precision = .float32) {
    self.arena = arena
    self.gradients = gradients
    self.precision = precision
    weights = nil
    member = nil
  }

  /// A tape that only computes.
  public init(arena: Arena, precision: Precision = .float32) {
    self.arena = arena
    self.precision = precision
    gradients = nil
    weights = nil
    member = nil
  }

  /// A tape that only computes, with weights packed once and at their precision.
  /// - Parameter member: the worker's place among those that compute one frame together.
  public init(arena: Arena, weights: PackedWeights, member: TeamMember? = nil) {
    self.arena = arena
    self.weights = weights
    self.member = member
    precision = weights.precision
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
    spare.removeAll(keepingCapacity: true)
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
    nodes.append { tape in
      guard let gradient = tape.variableGradients[result.place] else { return }
      tape.played = result.place
      backward(tape, gradient)
      if let passedOn = tape.variableGradients[result.place] { tape.spare.append(passedOn) }
      tape.variableGradients[result.place] = nil
      tape.profile?.mark(operation.operationName + " backward", flops: 2 * flops)
    }
    return result
  }

  /// A result of a tape that only computes.
  func computed(_ value: Tensor, flops: Double = 0, operation: String = #function) -> Variable {
    profile?.mark(operation.operationName, flops: flops)
    return constant(value)
  }

  /// The gradient of a variable to add to, zero at first; nil where none is wanted.
  public func gradient(of variable: Variable) -> Tensor? {
    guard let (gradient, isNew) = target(of: variable) else { return nil }
    if isNew { gradient.fill(0) }
    return gradient
  }

  /// The gradient of a variable; a new one holds nothing yet and is to be written whole. nil where none is
  /// wanted.
  func target(of variable: Variable) -> (gradient: Tensor, isNew: Bool)? {
    guard variable.place >= 0 else { return nil }
    if let gradient = variableGradients[variable.place] { return (gradient, false) }
    let gradient = temporary(variable.shape)
    variableGradients[variable.place] = gradient
    return (gradient, true)
  }

  /// The gradient of the result whose backward pass is running becomes part of a variable's, unchanged. Where
  /// that has none yet it takes over the memory: so a pass does this last of all.
  func pass(_ gradient: Tensor, to variable: Variable) {
    guard variable.place >= 0 else { return }
    if let sum = variableGradients[variable.place] {
      ck_add_scaled(gradient.pointer, 1, sum.pointer, sum.count)
    } else if variableGradients[played] != nil {
      variableGradients[variable.place] = gradient.reshaped(variable.shape)
      variableGradients[played] = nil
    } else {
      target(of: variable)?.gradient.copy(from: gradient)
    }
  }

  /// Memory of a backward pass, from what was passed on where possible.
  private func temporary(_ shape: Shape) -> Tensor {
    if let index = spare.lastIndex(where: { $0.count == shape.count }) {
      return spare.remove(at: index).reshaped(shape)
    }
    return arena.tensor(shape)
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
