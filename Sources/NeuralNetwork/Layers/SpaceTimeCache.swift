import Autograd

/// Keys and values of the last frames of one world, in every block: what sampling needs of the past.
///
/// Its size does not depend on how long the world has lived: a frame older than the window is overwritten.
/// Since the temporal mask is banded in training too, the ring is exact for worlds of any length.
public struct SpaceTimeCache: Sendable {
  public let rings: [TemporalRing]
  public let window: Int
  /// Frames that were committed so far.
  public private(set) var frames = 0

  /// - Parameter precision: of the keys and values.
  public init(_ configuration: SpaceTimeConfiguration, precision: Precision) {
    window = configuration.window
    rings = (0..<configuration.blocks).map { _ in
      TemporalRing(
        tokens: configuration.tokens, channels: configuration.attentionWidth, window: configuration.window,
        precision: precision)
    }
  }

  /// Where the frame that is being computed goes in the rings.
  public var place: Int { frames % window }

  /// Keeps the last run frame, and goes on to the next.
  public mutating func advance() { frames += 1 }

  /// Goes back to the newest frame, which is to be computed once more.
  /// - Precondition: there is one.
  public mutating func retreat() {
    precondition(frames > 0, "no frame to go back to")
    frames -= 1
  }

  /// Forgets everything: nothing of it is in a snapshot of what comes then.
  public mutating func clear() {
    frames = 0
    for ring in rings { ring.withBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) } }
  }

  /// Takes over the state of another cache of the same shape, as it is.
  public mutating func copy(from other: SpaceTimeCache) {
    precondition(rings.count == other.rings.count && window == other.window, "caches of two shapes")
    for (ring, source) in zip(rings, other.rings) { ring.copy(from: source) }
    frames = other.frames
  }

  public var byteCount: Int { rings.reduce(0) { $0 + $1.byteCount } }

  /// Appends all keys and values as they lie, ring by ring: what ``restore(_:frames:)`` takes.
  public func append(to bytes: inout [UInt8]) {
    for ring in rings { ring.withBytes { bytes.append(contentsOf: $0) } }
  }

  /// - Precondition: `bytes` are ``byteCount`` and came from a cache of the same configuration and precision.
  public mutating func restore(_ bytes: ArraySlice<UInt8>, frames: Int) {
    precondition(bytes.count == byteCount && frames >= 0, "\(bytes.count) bytes for a cache of \(byteCount)")
    var start = bytes.startIndex
    for ring in rings {
      ring.withBytes { $0.copyBytes(from: bytes[start..<start + ring.byteCount]) }
      start += ring.byteCount
    }
    self.frames = frames
  }
}

/// The attention biases of a transformer whose parameters no longer change, spread out once for sampling.
public struct PreparedBiases: Sendable {
  /// `[heads, tokens, tokens]` a block.
  let spatial: [Tensor?]
  /// `[heads, window]` by ring place, a block and a number of frames so far (at most `2 * window - 1`
  /// differ).
  private let ring: [[Tensor]]
  private let window: Int

  public init(_ transformer: SpaceTimeTransformer) {
    let tape = Tape(arena: Arena())
    let configuration = transformer.configuration
    let window = configuration.window
    self.window = window
    spatial = transformer.blocks.map { block in
      block.expandedBias(tape, time: 1).map {
        let copy = Tensor(shape: $0.shape)
        copy.copy(from: $0.value)
        return copy
      }
    }
    ring = transformer.blocks.map { block in
      (0..<2 * window).map { frames in
        let bias = Tensor(shape: [configuration.heads, window])
        bias.fill(-.infinity)
        for head in 0..<configuration.heads {
          for distance in 0...min(frames, window - 1) {
            bias[head * window + (frames - distance) % window] =
              block.temporalBias.value[head * window + distance]
          }
        }
        return bias
      }
    }
  }

  func ringBias(block: Int, frames: Int) -> Tensor {
    ring[block][frames < window ? frames : window + frames % window]
  }
}
