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
  /// Frames to draw anew, at temperature 1, where the world's critic finds one that no video would show. If these are unreal, too,
  /// the action cannot be shown there, and the frame is what comes of another one, the most similar first. 0 leaves every
  /// frame as it was drawn first.
  public var retries: Int
  /// What is unreal: the log of how much likelier a frame is in dreams than in the video, over that of the frame before.
  public var unreal: Float

  public init(
    steps: Int = 2, temperature: Float = 0, leastShare: Float = 0, orderNoise: Float = 0, pilots: Int = 0,
    retries: Int = 0, unreal: Float = 2
  ) {
    self.steps = steps
    self.temperature = temperature
    self.leastShare = leastShare
    self.orderNoise = orderNoise
    self.pilots = pilots
    self.retries = retries
    self.unreal = unreal
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
      retries: try values.decodeIfPresent(Int.self, forKey: .retries) ?? 0,
      unreal: try values.decodeIfPresent(Float.self, forKey: .unreal) ?? 2)
  }

  /// For a first frame that nothing is known of: tokens are drawn one after the other, in an order left almost to chance. Where the
  /// surest come first, every frame begins with the plainest sky.
  public static let level = SamplingConfiguration(
    steps: 64, temperature: 1, leastShare: 0.05, orderNoise: 10, retries: 8)
}
