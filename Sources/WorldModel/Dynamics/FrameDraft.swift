import Foundation

/// A frame while it is sampled: which tokens are fixed, and what was drawn for the others. Made once for a sampler, or
/// for the samplers of a team: each writes the draws of its own tokens; one of them fixes tokens while the others wait.
public final class FrameDraft: @unchecked Sendable {
  /// `[tokens]`: fixed codes, or the dynamics' mask.
  private(set) var tokens: [Int32]
  let drawn: UnsafeMutablePointer<Int32>
  /// Of the drawn codes, and of what they were drawn from, in nats.
  let likelihoods: UnsafeMutablePointer<Float>
  let entropies: UnsafeMutablePointer<Float>
  /// Log-likelihood of each code when it was fixed.
  let fixed: UnsafeMutablePointer<Float>
  /// Random numbers in 0..<1.
  let uniforms: UnsafeMutablePointer<Float>
  /// How sure the model is of each drawn code.
  private let surety: UnsafeMutablePointer<Float>
  private(set) var result = SampledFrame(logLikelihood: 0, entropy: 0)
  private let mask: Int32
  /// Whether all tokens are fixed.
  private(set) var isComplete = false
  /// The entropy, in nats, up to which a token counts as certain.
  static let certain: Float = 0.2

  init(tokens count: Int, mask: Int32) {
    tokens = [Int32](repeating: mask, count: count)
    drawn = .allocate(capacity: count)
    likelihoods = .allocate(capacity: 5 * count)
    entropies = likelihoods + count
    uniforms = likelihoods + 2 * count
    surety = likelihoods + 3 * count
    fixed = likelihoods + 4 * count
    self.mask = mask
    drawn.initialize(repeating: 0, count: count)
    likelihoods.initialize(repeating: 0, count: 5 * count)
  }

  deinit {
    drawn.deallocate()
    likelihoods.deallocate()
  }

  /// Nothing is fixed.
  func clear() {
    for token in tokens.indices { tokens[token] = mask }
    isComplete = false
    result = SampledFrame(logLikelihood: 0, entropy: 0)
  }

  /// The frame is known.
  func fill(_ known: ArraySlice<Int32>) {
    for (token, code) in zip(tokens.indices, known) { tokens[token] = code }
  }

  /// Fixes the drawn codes that the model is surest of, so many that `staying` tokens stay masked.
  /// - Parameter noise: added to the surety of a token.
  func fix(staying: Int, noise: (_ token: Int) -> Float) {
    var open = 0
    for token in tokens.indices where tokens[token] == mask {
      open += 1
      surety[token] = likelihoods[token] + noise(token)
    }
    for _ in 0..<(staying == 0 ? open : max(1, open - staying)) {
      var best = -1
      for token in tokens.indices where tokens[token] == mask {
        if best < 0 || surety[token] > surety[best] { best = token }
      }
      guard best >= 0 else { break }
      fix(best)
    }
    isComplete = staying == 0
  }

  /// Fixes the one token that the model is least sure of; all of them, if it is sure of every one.
  func fixPilot() {
    var worst = -1
    for token in tokens.indices where tokens[token] == mask {
      if worst < 0 || entropies[token] > entropies[worst] { worst = token }
    }
    guard worst >= 0, entropies[worst] > Self.certain else { return fix(staying: 0) { _ in 0 } }
    fix(worst)
  }

  private func fix(_ token: Int) {
    tokens[token] = drawn[token]
    fixed[token] = likelihoods[token]
    result.logLikelihood += likelihoods[token] / Float(tokens.count)
    result.entropy += entropies[token] / Float(tokens.count)
  }
}
