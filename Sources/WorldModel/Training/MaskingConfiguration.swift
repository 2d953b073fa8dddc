/// What a dynamics model is not shown in training.
///
/// At play, the frames before are known and the new one is wholly masked at first; so in training some frames are
/// whole context, the others are masked at a rate of 0.5...1 (Genie, section 2.1) or wholly. The first frame is
/// masked only where levels are to be dreamt from nothing: ``firstFrame``.
public struct MaskingConfiguration: Codable, Sendable, Equatable {
  /// Share of frames that stay whole.
  public var clean: Float
  /// Share of the other frames that are masked wholly.
  public var full: Float
  public var lowestRate: Float
  /// Share of shown tokens that are replaced by another code of the same clip: at play the context holds errors too.
  public var corruption: Float
  /// Share of actions that are replaced by a random one: an action that the situation does not allow then leads to what is possible.
  public var actionNoise: Float
  /// Share of actions that are replaced by one that video never shows there: latent actions stand for effects, so the action "to
  /// the right" is never inferred at a wall, and what it leads to would never be learned.
  public var unseenActions: Float
  /// Share of clips whose first frame is masked too, at any rate: so that a first frame can be dreamt from nothing.
  public var firstFrame: Float
  /// Share of wholly masked frames that are shown instead as the model predicts them in one pass: at play the past is
  /// dreamt, and what went wrong in it has to be put right.
  public var ownFrames: Float
  /// Share of wholly masked frames in which up to ``mostPilots`` of the tokens that the model is least sure of are shown: at play these
  /// are the ones that are fixed first (``SamplingConfiguration/pilots``).
  public var pilots: Float
  static let mostPilots = 4

  var rehearses: Bool { ownFrames > 0 || pilots > 0 }

  public init(
    clean: Float = 0.5, full: Float = 0.4, lowestRate: Float = 0.5, corruption: Float = 0.05,
    actionNoise: Float = 0.05, unseenActions: Float = 0, firstFrame: Float = 0, ownFrames: Float = 0,
    pilots: Float = 0
  ) {
    self.clean = clean
    self.full = full
    self.lowestRate = lowestRate
    self.corruption = corruption
    self.actionNoise = actionNoise
    self.unseenActions = unseenActions
    self.firstFrame = firstFrame
    self.ownFrames = ownFrames
    self.pilots = pilots
  }
}

extension MaskingConfiguration {
  /// What an older file does not tell is as it was then.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      clean: try values.decode(Float.self, forKey: .clean),
      full: try values.decode(Float.self, forKey: .full),
      lowestRate: try values.decode(Float.self, forKey: .lowestRate),
      corruption: try values.decode(Float.self, forKey: .corruption),
      actionNoise: try values.decode(Float.self, forKey: .actionNoise),
      unseenActions: try values.decodeIfPresent(Float.self, forKey: .unseenActions) ?? 0,
      firstFrame: try values.decodeIfPresent(Float.self, forKey: .firstFrame) ?? 0,
      ownFrames: try values.decodeIfPresent(Float.self, forKey: .ownFrames) ?? 0,
      pilots: try values.decodeIfPresent(Float.self, forKey: .pilots) ?? 0)
  }
}
