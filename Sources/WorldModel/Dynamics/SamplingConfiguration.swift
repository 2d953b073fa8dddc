/// How a frame is sampled.
public struct SamplingConfiguration: Codable, Sendable, Equatable, Hashable {
  /// MaskGIT steps; each fixes the tokens that the model is surest of.
  public var steps: Int
  /// Of the drawn codes; 0 takes the likeliest.
  public var temperature: Float
  /// Codes that are less likely than this share of the likeliest are never drawn (min-p): where the model is sure, what it all but
  /// excludes does not add up to a wrong token in every frame.
  public var leastShare: Float
  /// Of the order in which tokens are fixed: noise on their log-likelihoods, falling to 0 with the last step.
  public var orderNoise: Float
  /// Steps before those, each of which fixes the one token that the model is least sure of.
  ///
  /// Where two frames are possible (the hero goes on, or is stopped by a wall), tokens that are fixed together are each
  /// taken from either. The first uncertain token decides which frame it is, and the others then follow. Where no token
  /// is uncertain, the whole frame is fixed at once and no further step is needed.
  public var pilots: Int
  /// An action that the video shows so much more seldom after such a frame than anywhere does what another does that stands in for it
  /// (``ActionOdds``). 0 takes every action as it is.
  public var leastOdds: Float
  /// Whether worlds that begin where an episode begins are told so (``WorldState/knowsAge``); else they may begin anywhere.
  public var tellsAge: Bool

  public init(
    steps: Int = 2, temperature: Float = 0, leastShare: Float = 0, orderNoise: Float = 0, pilots: Int = 0,
    leastOdds: Float = 0, tellsAge: Bool = false
  ) {
    self.steps = steps
    self.temperature = temperature
    self.leastShare = leastShare
    self.orderNoise = orderNoise
    self.pilots = pilots
    self.leastOdds = leastOdds
    self.tellsAge = tellsAge
  }

  /// The same, but for what is given.
  public func with(
    temperature: Float? = nil, leastShare: Float? = nil, pilots: Int? = nil, leastOdds: Float? = nil,
    tellsAge: Bool? = nil
  ) -> SamplingConfiguration {
    SamplingConfiguration(
      steps: steps, temperature: temperature ?? self.temperature, leastShare: leastShare ?? self.leastShare,
      orderNoise: orderNoise, pilots: pilots ?? self.pilots, leastOdds: leastOdds ?? self.leastOdds,
      tellsAge: tellsAge ?? self.tellsAge)
  }

  /// What an older file does not tell is as it was then.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      steps: try values.decode(Int.self, forKey: .steps),
      temperature: try values.decode(Float.self, forKey: .temperature),
      leastShare: try values.decodeIfPresent(Float.self, forKey: .leastShare) ?? 0,
      orderNoise: try values.decode(Float.self, forKey: .orderNoise),
      pilots: try values.decodeIfPresent(Int.self, forKey: .pilots) ?? 0,
      leastOdds: try values.decodeIfPresent(Float.self, forKey: .leastOdds) ?? 0,
      tellsAge: try values.decodeIfPresent(Bool.self, forKey: .tellsAge) ?? false)
  }

  /// For a first frame that nothing is known of: tokens are drawn one after the other, in an order left almost to chance. Where the
  /// surest come first, every frame begins with the plainest sky.
  public static let level = SamplingConfiguration(
    steps: 64, temperature: 1, leastShare: 0.05, orderNoise: 10)
}
