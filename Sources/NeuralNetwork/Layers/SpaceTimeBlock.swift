import Autograd

/// Which tokens attend to which.
public enum AttentionKind: String, Codable, Sendable, CaseIterable {
  /// Within a frame, then along time at one position: linear in the number of frames (ST-ViViT; Genie, section 2).
  case factorised
  /// Among all tokens of all frames that are not later: quadratic (C-ViViT, as the paper compares it in section 3.3). It
  /// has no cache, so that nothing can be sampled with it.
  case full
}

/// What a space-time transformer is built from.
public struct SpaceTimeConfiguration: Codable, Sendable, Equatable {
  /// Channels of a token.
  public var width: Int
  public var blocks: Int
  public var heads: Int
  /// Channels of a head; nil takes `width / heads`.
  public var headWidth: Int?
  /// The grid of tokens of a frame.
  public var rows: Int
  public var columns: Int
  /// Frames that a frame sees, itself included.
  public var window: Int
  /// Width of the feed-forward, as a multiple of `width`.
  public var expansion: Int
  /// A learned vector for each position of the grid.
  public var positions: Bool
  /// A learned bias for each displacement, in spatial attention.
  public var relativeBias: Bool
  public var attention: AttentionKind

  public init(
    width: Int, blocks: Int, heads: Int, headWidth: Int? = nil, rows: Int, columns: Int, window: Int = 16,
    expansion: Int = 4, positions: Bool = true, relativeBias: Bool = true,
    attention: AttentionKind = .factorised
  ) {
    self.width = width
    self.blocks = blocks
    self.heads = heads
    self.headWidth = headWidth
    self.rows = rows
    self.columns = columns
    self.window = window
    self.expansion = expansion
    self.positions = positions
    self.relativeBias = relativeBias
    self.attention = attention
  }

  public var tokens: Int { rows * columns }
  /// Channels of all heads together.
  public var attentionWidth: Int { headWidth.map { $0 * heads } ?? width }
  /// Values of all matrices of the blocks: fewer than a model of this configuration has.
  public var matrixValues: Int {
    blocks * ((attention == .full ? 4 : 8) * width * attentionWidth + 2 * expansion * width * width)
  }
}

/// Spatial attention within a frame, causal temporal attention along one position, and one feed-forward after
/// both (Genie, figure 4); pre-norm residuals. Its cost grows linearly with the number of frames.
public struct SpaceTimeBlock: Sendable {
  let configuration: SpaceTimeConfiguration
  let spatialNorm: LayerNorm
  let spatialQKV: Linear
  let spatialOut: Linear
  /// `[heads, (2 rows - 1) * (2 columns - 1)]`.
  let spatialBias: Parameter?
  /// nil where attention is full.
  let temporal: (norm: LayerNorm, qkv: Linear, out: Linear)?
  /// `[heads, window]`, by distance in frames: relative, so that cached keys stay valid when the window
  /// slides.
  let temporalBias: Parameter
  let feedForwardNorm: LayerNorm
  let up: Linear
  let down: Linear

  init(_ parameters: Parameters, _ name: String, _ configuration: SpaceTimeConfiguration) {
    self.configuration = configuration
    let (width, inner, heads) = (configuration.width, configuration.attentionWidth, configuration.heads)
    // Residual branches start small, the smaller the deeper the network.
    let small = 0.02 / Float(3 * max(1, configuration.blocks)).squareRoot()
    func projection(_ part: String, _ inputs: Int, _ outputs: Int, _ deviation: Float? = nil) -> Linear {
      Linear(parameters, name + part, inputs: inputs, outputs: outputs, bias: false, deviation: deviation)
    }
    spatialNorm = LayerNorm(parameters, name + ".spatial.norm", channels: width)
    spatialQKV = projection(".spatial.qkv", width, 3 * inner)
    spatialOut = projection(".spatial.out", inner, width, small)
    spatialBias =
      configuration.relativeBias
      ? parameters.make(
        name + ".spatial.bias", [heads, (2 * configuration.rows - 1) * (2 * configuration.columns - 1)],
        .vector,
        .values(Self.lookingAround(configuration)))
      : nil
    temporal =
      configuration.attention == .full
      ? nil
      : (
        LayerNorm(parameters, name + ".temporal.norm", channels: width),
        projection(".temporal.qkv", width, 3 * inner), projection(".temporal.out", inner, width, small)
      )
    temporalBias = parameters.make(
      name + ".temporal.bias", [heads, configuration.window], .vector, .constant(0))
    feedForwardNorm = LayerNorm(parameters, name + ".feedForward.norm", channels: width)
    up = Linear(
      parameters, name + ".feedForward.up", inputs: width, outputs: configuration.expansion * width,
      activation: .gelu)
    down = Linear(
      parameters, name + ".feedForward.down", inputs: configuration.expansion * width, outputs: width,
      deviation: small)
  }

  /// Heads begin as lookers at the token itself, its left, its right and above and below; the others look
  /// everywhere.
  private static func lookingAround(_ configuration: SpaceTimeConfiguration) -> [Float] {
    let (rows, columns) = (configuration.rows, configuration.columns)
    let width = 2 * columns - 1
    let size = (2 * rows - 1) * width
    var table = [Float](repeating: 0, count: configuration.heads * size)
    let directions: [[(dy: Int, dx: Int)]] = [[(0, 0)], [(0, -1)], [(0, 1)], [(-1, 0), (1, 0)]]
    for (head, targets) in directions.enumerated() where head < configuration.heads {
      for (dy, dx) in targets where abs(dy) < rows && abs(dx) < columns {
        table[head * size + (dy + rows - 1) * width + dx + columns - 1] = 4
      }
    }
    return table
  }

  /// - Parameters:
  ///   - x: `[batch, time, tokens, width]`; `[1, 1, tokens, width]` with a cache.
  ///   - spatialBias: what ``expandedBias(_:time:)`` gave.
  ///   - cache: the ring of this block and where the new frame goes in it; nil for whole sequences.
  ///   - onlyRemembers: stops when the frame's keys and values are in the cache; what is returned means nothing.
  /// - Returns: the shape of `x`.
  func callAsFunction(
    _ tape: Tape, _ x: Variable, spatialBias: Variable?,
    cache: (ring: TemporalRing, place: Int, bias: Tensor)? = nil, onlyRemembers: Bool = false
  ) -> Variable {
    let heads = configuration.heads
    var x = x
    let qkv = spatialQKV(tape, spatialNorm(tape, x))
    let (batch, time, tokens) = (x.shape[0], x.shape[1], x.shape[2])
    if let temporal {
      x = spatialOut(tape, tape.spatialAttention(qkv, heads: heads, bias: spatialBias), residual: x)
      let qkv = temporal.qkv(tape, temporal.norm(tape, x))
      let attended =
        if let cache {
          tape.temporalAttention(
            qkv, heads: heads, ring: cache.ring, place: cache.place, ringBias: cache.bias)
        } else {
          tape.temporalAttention(qkv, heads: heads, bias: tape.variable(temporalBias))
        }
      if onlyRemembers { return attended }
      x = temporal.out(tape, attended, residual: x)
    } else {
      precondition(cache == nil, "full attention has no cache")
      let attended = tape.spatialAttention(
        tape.reshape(qkv, [batch, 1, time * tokens, qkv.shape[3]]), heads: heads, bias: spatialBias)
      x = spatialOut(
        tape, tape.reshape(attended, [batch, time, tokens, configuration.attentionWidth]), residual: x)
    }
    return down(tape, up(tape, feedForwardNorm(tape, x)), residual: x)
  }

  /// The biases of attention for all pairs of tokens, `[heads, tokens, tokens]`; of all frames where attention is full.
  func expandedBias(_ tape: Tape, time: Int) -> Variable? {
    let spatial = spatialBias.map {
      tape.relativeBias(tape.variable($0), rows: configuration.rows, columns: configuration.columns)
    }
    guard configuration.attention == .full else { return spatial }
    let tokens = configuration.tokens
    return tape.spaceTimeBias(
      spatial: spatial ?? tape.constant(tape.arena.zeros([configuration.heads, tokens, tokens])),
      temporal: tape.variable(temporalBias), time: time)
  }
}
