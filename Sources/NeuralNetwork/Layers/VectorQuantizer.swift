import Autograd
import CKernels

/// A codebook of unit vectors, learned as running means of what was assigned to each code (VQ-VAE with
/// exponential moving averages), with codes that nobody uses put where vectors are.
///
/// The codebook is no parameter: no gradient reaches it. Workers only collect ``QuantizerStatistics``; one
/// ``update(_:key:)`` a step reduces them, as gradients are.
public final class VectorQuantizer: @unchecked Sendable {
  public struct Configuration: Codable, Sendable, Equatable {
    public var codes: Int
    /// Channels of a code.
    public var width: Int
    /// Share of the running means that a step keeps.
    public var decay: Float
    /// A code is dead when it is used less than so many times its fair share.
    public var deadBelow: Float
    /// Weight of the loss that pulls vectors towards their codes.
    public var commitment: Float

    public init(
      codes: Int, width: Int, decay: Float = 0.99, deadBelow: Float = 0.05, commitment: Float = 0.25
    ) {
      self.codes = codes
      self.width = width
      self.decay = decay
      self.deadBelow = deadBelow
      self.commitment = commitment
    }
  }

  public let configuration: Configuration
  /// `[codes, width]`, rows of length 1.
  public let codebook: Tensor
  /// `[codes]`: running mean of a code's uses in a step.
  public let uses: Tensor
  /// `[codes, width]`: running mean of the sum of a code's vectors in a step.
  public let sums: Tensor
  /// 1 once the codes lie where vectors are: a part of what a checkpoint keeps.
  private let placed = Tensor(shape: [1])
  public var isPlaced: Bool { placed[0] != 0 }

  public init(_ configuration: Configuration, key: RandomKey) {
    self.configuration = configuration
    codebook = Tensor(shape: [configuration.codes, configuration.width])
    uses = Tensor(shape: [configuration.codes])
    sums = Tensor(shape: [configuration.codes, configuration.width])
    for i in 0..<codebook.count { codebook[i] = key.normal(UInt64(i)) }
    normalizeCodebook()
  }

  /// The codes nearest to the given vectors.
  /// - Parameter vectors: `[..., width]`, rows of length 1.
  public func nearest(_ vectors: Tensor, arena: Arena) -> [Int32] {
    let rows = vectors.shape.rows
    let scores = arena.tensor([rows, configuration.codes])
    scores.assignProduct(vectors, codebook, transposedB: true)
    var codes = [Int32](repeating: 0, count: rows)
    ck_argmax_rows(scores.pointer, &codes, rows, configuration.codes)
    return codes
  }

  /// The vectors of the given codes, `[shape..., width]`.
  /// - Precondition: codes in `0..<codes`.
  public func vectors(_ codes: ArraySlice<Int32>, shape: Shape, arena: Arena) -> Tensor {
    let width = configuration.width
    let result = arena.tensor(shape.appending(width))
    for (row, code) in codes.enumerated() {
      precondition(code >= 0 && code < configuration.codes, "code \(code) of \(configuration.codes)")
      (result.pointer + row * width).update(from: codebook.pointer + Int(code) * width, count: width)
    }
    return result
  }

  /// Replaces each vector by its nearest code; the gradient passes straight through.
  /// - Parameters:
  ///   - x: `[..., width]`; normalised here.
  ///   - scale: of the commitment loss (one over what the loss is averaged over).
  ///   - statistics: collects what ``update(_:key:)`` needs; nil outside training.
  /// - Returns: the codes' vectors, the codes, and the commitment loss.
  public func callAsFunction(
    _ tape: Tape, _ x: Variable, scale: Float, statistics: QuantizerStatistics?
  ) -> (vectors: Variable, codes: [Int32], loss: Variable) {
    let unit = tape.normalize(x)
    let codes = nearest(unit.value, arena: tape.arena)
    statistics?.add(unit.value, codes)
    let shape = Shape(Array(x.shape.dimensions.dropLast()))
    let quantized = vectors(codes[...], shape: shape, arena: tape.arena)
    let loss = tape.squaredError(unit, quantized, scale: scale * configuration.commitment)
    return (tape.straightThrough(unit, quantized: quantized), codes, loss)
  }

  /// Moves the codes towards what the workers saw in this step, and revives dead codes.
  /// - Parameters:
  ///   - collective: the processes that train together, whose workers saw something too.
  ///   - revive: whether dead codes are placed on vectors of this step.
  public func update(
    _ workers: [QuantizerStatistics], of collective: (any Collective)? = nil, key: RandomKey,
    revive: Bool = true
  ) {
    let (codes, width) = (configuration.codes, configuration.width)
    var vectors = workers.flatMap(\.vectors)
    var assigned = workers.flatMap(\.codes)
    if let collective {
      vectors = collective.gathered(vectors).flatMap { $0 }
      assigned = collective.gathered(assigned).flatMap { $0 }
    }
    for worker in workers { worker.clear() }
    guard !assigned.isEmpty else { return }
    if !isPlaced {
      placeOnVectors(vectors, count: assigned.count, key: key)
      return
    }
    let keep = configuration.decay
    ck_scale(uses.pointer, keep, codes)
    ck_scale(sums.pointer, keep, sums.count)
    let (counts, totals, centres) = (uses.pointer, sums.pointer, codebook.pointer)
    vectors.withUnsafeBufferPointer { rows in
      for (row, code) in assigned.enumerated() {
        counts[Int(code)] += 1 - keep
        ck_add_scaled(rows.baseAddress! + row * width, 1 - keep, totals + Int(code) * width, width)
      }
    }
    let share = Float(assigned.count) / Float(codes)
    if revive {
      // Before any code moves: how well a vector is served, the code that it was assigned to tells.
      for code in 0..<codes where counts[code] < configuration.deadBelow * share {
        let row = poorlyServed(vectors, assigned, key: key.folded(in: UInt64(code)))
        for c in 0..<width { totals[code * width + c] = vectors[row * width + c] * share }
        counts[code] = share
      }
    }
    // Of sums that have faded there is no direction to take: the code stays where it is.
    for code in 0..<codes where counts[code] > 1e-6 {
      for c in 0..<width { centres[code * width + c] = totals[code * width + c] }
    }
    normalizeCodebook()
  }

  /// Of a few vectors of this step, the one farthest from its code. A vector taken at random would nearly always be
  /// one of the commonest, which have codes already.
  private func poorlyServed(_ vectors: [Float], _ assigned: [Int32], key: RandomKey) -> Int {
    let width = configuration.width
    var worst: (row: Int, similarity: Float) = (0, .infinity)
    for candidate in 0..<16 {
      let row = key.integer(UInt64(candidate), below: assigned.count)
      let code = Int(assigned[row])
      var similarity: Float = 0
      for c in 0..<width { similarity += vectors[row * width + c] * codebook.pointer[code * width + c] }
      if similarity < worst.similarity { worst = (row, similarity) }
    }
    return worst.row
  }

  /// Puts the codes on the given centres, `[codes, width]`, each expected to be used `uses` times a step.
  public func place(centres: [Float], uses expected: [Float]) {
    precondition(
      centres.count == codebook.count && expected.count == configuration.codes, "centres of another shape")
    for i in 0..<centres.count { codebook[i] = centres[i] }
    normalizeCodebook()
    for code in 0..<configuration.codes {
      uses[code] = expected[code]
      for c in 0..<configuration.width {
        let i = code * configuration.width + c
        sums[i] = codebook[i] * expected[code]
      }
    }
    placed[0] = 1
  }

  private func placeOnVectors(_ vectors: [Float], count: Int, key: RandomKey) {
    let width = configuration.width
    var centres = [Float](repeating: 0, count: codebook.count)
    let order = key.permutation(count)
    for code in 0..<configuration.codes {
      for c in 0..<width {
        // More codes than vectors: the same vector again, slightly moved.
        let moved: Float = code < count ? 0 : 1e-3 * key.normal(UInt64(code * width + c))
        centres[code * width + c] = vectors[order[code % count] * width + c] + moved
      }
    }
    let share = Float(count) / Float(configuration.codes)
    place(centres: centres, uses: [Float](repeating: share, count: configuration.codes))
  }

  private func normalizeCodebook() {
    let width = configuration.width
    for code in 0..<configuration.codes {
      let row = codebook.pointer + code * width
      let length = max(Float(ck_sum_squares(row, width)).squareRoot(), 1e-12)
      for c in 0..<width { row[c] /= length }
    }
  }

  /// What a checkpoint keeps, by name under `prefix`.
  public func state(_ prefix: String) -> [String: Tensor] {
    [
      prefix + ".codebook": codebook, prefix + ".uses": uses, prefix + ".sums": sums,
      prefix + ".placed": placed,
    ]
  }
}

/// What one worker saw of a quantizer's input in one step.
public final class QuantizerStatistics: @unchecked Sendable {
  fileprivate(set) var vectors: [Float] = []
  fileprivate(set) var codes: [Int32] = []

  public init() {}

  fileprivate func add(_ rows: Tensor, _ assigned: [Int32]) {
    vectors.append(contentsOf: UnsafeBufferPointer(start: rows.pointer, count: rows.count))
    codes.append(contentsOf: assigned)
  }

  fileprivate func clear() {
    vectors.removeAll(keepingCapacity: true)
    codes.removeAll(keepingCapacity: true)
  }
}
