import Autograd
import Foundation

/// How many tokens are still masked after each step of sampling a frame (MaskGIT's cosine schedule).
public enum MaskSchedule {
  /// - Returns: tokens that stay masked after step `step` of `steps`; 0 after the last.
  public static func masked(after step: Int, of steps: Int, tokens: Int) -> Int {
    step >= steps - 1 ? 0 : Int(Double(tokens) * cos(Double.pi / 2 * Double(step + 1) / Double(steps)))
  }
}

/// What a dynamics model is not shown in training.
///
/// At play, the frames before are known and the new one is wholly masked at first; so in training some frames are
/// whole context, the others are masked at a rate of 0.5...1 (Genie, section 2.1) or wholly. The first frame is never masked.
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
  /// Whether false actions are drawn as often as the video uses them, instead of all alike: else those of a rare action are
  /// mostly false.
  public var noiseFollowsUse: Bool
  /// The same share of actions where hardly any token changed (a sixteenth, at most): video shows no action that the
  /// situation did not allow, so that a model would never learn that such an action changes nothing. Where all is possible,
  /// the few false ones are outnumbered.
  public var idleNoise: Float
  /// Share of clips whose first frame is masked too, at any rate: so that a first frame can be dreamt from nothing.
  public var firstFrame: Float

  public init(
    clean: Float = 0.5, full: Float = 0.4, lowestRate: Float = 0.5, corruption: Float = 0.05,
    actionNoise: Float = 0.05, noiseFollowsUse: Bool = false, idleNoise: Float = 0,
    firstFrame: Float = 0
  ) {
    self.clean = clean
    self.full = full
    self.lowestRate = lowestRate
    self.corruption = corruption
    self.actionNoise = actionNoise
    self.noiseFollowsUse = noiseFollowsUse
    self.idleNoise = idleNoise
    self.firstFrame = firstFrame
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
      noiseFollowsUse: try values.decodeIfPresent(Bool.self, forKey: .noiseFollowsUse) ?? false,
      idleNoise: try values.decodeIfPresent(Float.self, forKey: .idleNoise) ?? 0,
      firstFrame: try values.decodeIfPresent(Float.self, forKey: .firstFrame) ?? 0)
  }
}

/// One clip as a dynamics model is shown it in training.
struct MaskedClip {
  /// `[time, tokens]`, with masks and corruption.
  var tokens: [Int32]
  /// `[time]`.
  var actions: [Int32]
  /// Places in `tokens` that were masked: what has to be predicted.
  var masked: [Int] = []

  /// - Parameters:
  ///   - clean: `[time, tokens]`.
  ///   - actions: `[time]`: what led to each frame.
  ///   - falseActions: what a false action is drawn from.
  init(
    clean: ArraySlice<Int32>, actions: ArraySlice<Int32>, time: Int, mask: Int32,
    falseActions: [Int32],
    configuration: MaskingConfiguration, key: RandomKey
  ) {
    tokens = Array(clean)
    self.actions = Array(actions)
    let original = tokens
    let count = tokens.count / time
    let (noise, shown, rates) = (key.folded(in: 0), key.folded(in: 1), key.folded(in: 2))
    let corruption = configuration.corruption * 2 * rates.uniform(1 << 40)
    for t in 0..<time {
      let counter = UInt64(t)
      let isIdle =
        t > 0 && configuration.idleNoise > 0
        && (0..<count).count { original[t * count + $0] != original[(t - 1) * count + $0] } * 16 <= count
      let share = isIdle ? max(configuration.actionNoise, configuration.idleNoise) : configuration.actionNoise
      if self.actions[t] != Dynamics.noAction, noise.uniform(counter) < share {
        self.actions[t] = falseActions[noise.integer(1 << 32 + counter, below: falseActions.count)]
      }
      var rate: Float = 0
      if t > 0, rates.uniform(counter * 4) >= configuration.clean {
        let partial =
          configuration.lowestRate + (1 - configuration.lowestRate) * rates.uniform(counter * 4 + 1)
        rate = rates.uniform(counter * 4 + 2) < configuration.full ? 1 : partial
      }
      if t == 0, rates.uniform(1 << 41) < configuration.firstFrame {
        rate = rates.uniform(2) < configuration.full ? 1 : rates.uniform(1)
      }
      for token in 0..<count {
        let place = t * count + token
        if shown.uniform(UInt64(place) * 2) < rate {
          tokens[place] = mask
          masked.append(place)
        } else if shown.uniform(UInt64(place) * 2 + 1) < corruption {
          tokens[place] = original[shown.integer(1 << 32 + UInt64(place), below: original.count)]
        }
      }
    }
  }
}
