import Autograd
import Testing

/// Compares the gradients of an operation with central differences.
///
/// The loss is a sum of all outputs with random weights, summed in double precision. Differences of two widths are
/// extrapolated (Richardson), so that their error is that of Float32 in the forward pass alone: gradients must agree
/// within 1e-3 of the largest gradient of the same input.
///
/// The arena is full of NaN at first, so that memory which nobody wrote is noticed. Besides the gradients are checked:
/// values without a tape, inputs that want no gradient, and that gradients of an input used twice accumulate.
struct GradientCheck {
  var tolerance: Float = 1e-3
  var width: Float = 0.02
  var seed: UInt64 = 7

  typealias Operation = (_ tape: Tape, _ inputs: [Variable]) -> Variable

  func callAsFunction(
    _ inputs: [Tensor], sourceLocation: SourceLocation = #_sourceLocation, _ operation: Operation
  ) {
    let recorded = gradients(inputs, wanted: inputs.indices.map { _ in true }, operation)
    let silent = dirtyTape(recording: false)
    let plain = operation(silent, inputs.map(silent.input)).value.values
    #expect(
      plain == recorded.output, "a tape that does not record gives other values",
      sourceLocation: sourceLocation)

    for place in inputs.indices {
      let expected = differences(inputs, place, operation)
      expectClose(recorded.gradients[place]!, expected, "gradient of input \(place)", sourceLocation)
      let alone = gradients(inputs, wanted: inputs.indices.map { $0 == place }, operation)
      expectClose(alone.gradients[place]!, expected, "gradient of input \(place) alone", sourceLocation)
    }
    let twice = gradients(inputs, wanted: inputs.indices.map { _ in true }) { tape, variables in
      tape.add(operation(tape, variables), operation(tape, variables), scale: 2)
    }
    for place in inputs.indices {
      expectClose(
        twice.gradients[place]!, recorded.gradients[place]!.map { 3 * $0 },
        "gradient of input \(place), used twice",
        sourceLocation)
    }
  }

  /// Gradients of the weighted sum of outputs, by the tape.
  private func gradients(
    _ inputs: [Tensor], wanted: [Bool], _ operation: Operation
  ) -> (output: [Float], gradients: [[Float]?]) {
    let tape = dirtyTape(recording: true)
    let variables = zip(inputs, wanted).map { $1 ? tape.input($0) : tape.constant($0) }
    let output = operation(tape, variables)
    let values = output.value.values
    tape.backward(from: output, gradient: Tensor(weights(values.count), shape: output.shape))
    return (values, variables.map { tape.gradient(of: $0)?.values })
  }

  /// The same by central differences.
  private func differences(_ inputs: [Tensor], _ place: Int, _ operation: Operation) -> [Float] {
    let tape = dirtyTape(recording: false)
    let moved = Tensor(inputs[place].values, shape: inputs[place].shape)
    func loss() -> Double {
      tape.reset()
      let variables = inputs.indices.map { tape.constant($0 == place ? moved : inputs[$0]) }
      let output = operation(tape, variables).value
      return zip(output.values, weights(output.count)).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return (0..<moved.count).map { index in
      let value = moved[index]
      func slope(_ width: Float) -> Double {
        let (above, below) = (value + width, value - width)
        moved[index] = above
        let upper = loss()
        moved[index] = below
        return (upper - loss()) / Double(above - below)
      }
      let (narrow, wide) = (slope(width), slope(2 * width))
      moved[index] = value
      return Float((4 * narrow - wide) / 3)
    }
  }

  private func weights(_ count: Int) -> [Float] {
    let key = RandomKey(seed: seed).folded(in: "weights")
    return (0..<count).map { key.normal(UInt64($0)) }
  }

  private func expectClose(_ actual: [Float], _ expected: [Float], _ what: String, _ location: SourceLocation)
  {
    let largest = max(expected.map(abs).max() ?? 0, 1e-3)
    for (index, (a, b)) in zip(actual, expected).enumerated() where !(abs(a - b) <= tolerance * largest) {
      Issue.record("\(what)[\(index)] is \(a), not \(b) (largest \(largest))", sourceLocation: location)
      return
    }
  }
}

/// A tape whose arena is full of NaN, with no parameters.
func dirtyTape(recording: Bool) -> Tape {
  let arena = Arena(capacity: 1 << 19)
  arena.tensor([1 << 19]).fill(.nan)
  arena.reset()
  return recording ? Tape(arena: arena, gradients: Gradients(Parameters(seed: 0))) : Tape(arena: arena)
}

extension Tensor {
  /// Normal numbers, the same for the same seed.
  static func random(_ shape: Shape, seed: UInt64, scale: Float = 1) -> Tensor {
    let key = RandomKey(seed: seed)
    return Tensor((0..<shape.count).map { scale * key.normal(UInt64($0)) }, shape: shape)
  }

  /// All different, no two nearer than `gap`, in random order around 0.
  static func spaced(_ shape: Shape, seed: UInt64, gap: Float) -> Tensor {
    let order = RandomKey(seed: seed).permutation(shape.count)
    return Tensor(order.map { gap * (Float($0) - Float(shape.count) / 2) }, shape: shape)
  }
}

/// All within `tolerance * (1 + |expected|)`; NaN never is.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-5,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, sourceLocation: sourceLocation)
  for (index, (a, b)) in zip(actual, expected).enumerated() where !(abs(a - b) <= tolerance * (1 + abs(b))) {
    Issue.record("element \(index) is \(a), not \(b)", sourceLocation: sourceLocation)
    return
  }
}
