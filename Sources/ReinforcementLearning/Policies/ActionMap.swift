import Autograd
import Environments

/// Why latent actions cannot be mapped to real ones.
public enum ActionMapError: Error, Sendable, Equatable, CustomStringConvertible {
  case noSamples
  case tooManySamples(Int, limit: Int)
  case outOfRange(latent: Int32, latents: Int, real: Int32, reals: Int)

  public var description: String {
    switch self {
    case .noSamples: "there is no labelled transition to map actions by"
    case .tooManySamples(let count, let limit):
      "\(count) labelled transitions, but at most \(limit) may be used"
    case .outOfRange(let latent, let latents, let real, let reals):
      "a transition of latent action \(latent) (of \(latents)) and real action \(real) (of \(reals))"
    }
  }
}

/// From the latent actions of a dream to the actions of the real game, by a few labelled transitions (Genie,
/// section 3.3 and appendix E: 200 samples are enough).
///
/// Each latent action goes to the real action that accompanied it most often.
public struct ActionMap: Codable, Sendable, Equatable {
  /// A real transition: what the latent action model calls it, and what was done.
  public struct Sample: Codable, Sendable, Equatable {
    public var latent: Int32
    public var real: Int32

    public init(latent: Int32, real: Int32) {
      self.latent = latent
      self.real = real
    }
  }

  /// As many labelled transitions as the paper allows itself.
  public static let sampleLimit = 200

  public let realActions: Discrete
  /// The real action of each latent one.
  public let actions: [Int32]
  /// `[latent, real]`: how often they went together.
  public let counts: [[Int]]

  /// - Parameters:
  ///   - samples: 1 to ``sampleLimit``.
  ///   - latentActions: number of latent actions.
  /// - Throws: ``ActionMapError``
  public init(
    fitting samples: [Sample], latentActions: Int, realActions: Discrete
  ) throws(ActionMapError) {
    guard !samples.isEmpty else { throw .noSamples }
    guard samples.count <= Self.sampleLimit else {
      throw .tooManySamples(samples.count, limit: Self.sampleLimit)
    }
    var counts = Array(repeating: Array(repeating: 0, count: realActions.count), count: latentActions)
    for sample in samples {
      guard (0..<Int32(latentActions)).contains(sample.latent), realActions.contains(sample.real) else {
        throw .outOfRange(
          latent: sample.latent, latents: latentActions, real: sample.real, reals: realActions.count)
      }
      counts[Int(sample.latent)][Int(sample.real)] += 1
    }
    let totals = (0..<realActions.count).map { real in counts.reduce(0) { $0 + $1[real] } }
    // A latent action that no transition showed does what is done most.
    actions = counts.map { row in Int32(Self.largest(row.contains { $0 > 0 } ? row : totals)) }
    self.counts = counts
    self.realActions = realActions
  }

  private static func largest(_ counts: [Int]) -> Int { counts.firstIndex(of: counts.max()!)! }

  /// Transitions that it was fitted on.
  public var samples: Int { counts.joined().reduce(0, +) }

  /// The share of those transitions that it maps to what was really done.
  public var agreement: Double {
    let right = zip(actions, counts).reduce(0) { $0 + $1.1[Int($1.0)] }
    return Double(right) / Double(max(1, samples))
  }

  public func callAsFunction(_ latent: Int32) -> Int32 { actions[Int(latent)] }
}

extension ActionMap {
  private enum Keys: String, CodingKey { case realActions, actions, counts }

  /// Decodes a map and checks it: it may come from a file.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Keys.self)
    realActions = try container.decode(Discrete.self, forKey: .realActions)
    actions = try container.decode([Int32].self, forKey: .actions)
    counts = try container.decode([[Int]].self, forKey: .counts)
    let sizes = 0...Self.sampleLimit
    guard counts.count == actions.count, actions.allSatisfy(realActions.contains),
      counts.allSatisfy({ $0.count == realActions.count && $0.allSatisfy(sizes.contains) })
    else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: container.codingPath, debugDescription: "the parts of the action map do not agree"))
    }
  }
}

/// A policy of a dream, acting in the real game.
public struct MappedPolicy<Latent: Policy>: Policy {
  public let latent: Latent
  public let map: ActionMap

  public init(_ latent: Latent, map: ActionMap) {
    self.latent = latent
    self.map = map
  }

  public var frames: Int { latent.frames }

  public func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32] {
    latent.actions(for: observations, keys: keys).map { map($0) }
  }

  /// The latent policy must fit the environment as the dream sees it: the same frames, the map's latent
  /// actions.
  public func check(_ specification: EnvironmentSpecification) throws(PolicyError) {
    try specification.actionSpace.check(policy: map.realActions.count)
    var dream = specification
    dream.actionSpace = Discrete(map.actions.count)
    try latent.check(dream)
  }
}
