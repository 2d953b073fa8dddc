import Autograd

/// How an action reaches a transformer.
public enum ActionConditioningKind: String, Codable, Sendable, CaseIterable {
  /// The action's embedding is added to every token (Genie, section 2.1).
  case additive
  /// The action's embedding is a part of every token, mixed in by a linear layer.
  case concatenated
  /// Before every block, a scale and a shift of every channel (FiLM).
  case film
}

/// Brings one action vector per frame into a space-time transformer.
public struct ActionConditioning: Sendable {
  public let kind: ActionConditioningKind
  /// additive: one `[inputs, width]`; concatenated: `[width + inputs, width]`; film: `[inputs, 2 * width]` a
  /// block.
  let layers: [Linear]

  init(
    _ parameters: Parameters, _ name: String, kind: ActionConditioningKind, inputs: Int, width: Int,
    blocks: Int
  ) {
    self.kind = kind
    func layer(_ part: String, _ inputs: Int, _ outputs: Int, _ deviation: Float?) -> Linear {
      Linear(parameters, name + part, inputs: inputs, outputs: outputs, role: .outer, deviation: deviation)
    }
    switch kind {
    case .additive: layers = [layer(".added", inputs, width, nil)]
    case .concatenated: layers = [layer(".mixed", width + inputs, width, nil)]
    case .film:
      layers = (0..<blocks).map { layer(".film.\($0)", inputs, 2 * width, 0.5 / Float(inputs).squareRoot()) }
    }
  }

  /// What happens before the first block.
  func enter(_ tape: Tape, _ x: Variable, _ actions: Variable) -> Variable {
    switch kind {
    case .additive: tape.modulate(x, scale: nil, shift: layers[0](tape, actions))
    case .concatenated: layers[0](tape, tape.concatenate(x, tape.spread(actions, tokens: x.shape[2])))
    case .film: x
    }
  }

  /// What happens before block `index`.
  func enterBlock(_ index: Int, _ tape: Tape, _ x: Variable, _ actions: Variable) -> Variable {
    guard kind == .film else { return x }
    let both = layers[index](tape, actions)
    let width = x.shape[-1]
    return tape.modulate(
      x, scale: tape.channels(both, 0..<width), shift: tape.channels(both, width..<2 * width))
  }
}
