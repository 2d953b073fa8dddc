import Autograd

/// One clip as a dynamics model is shown it in training.
struct MaskedClip {
  /// `[time, tokens]`, with masks and corruption.
  var tokens: [Int32]
  /// `[time]`.
  var actions: [Int32]
  /// Places in `tokens` that were masked: what has to be predicted. Ascending.
  var masked: [Int] = []
  /// Frames of which every token was masked.
  private var whole: [Int] = []

  /// - Parameter choices: of actions.
  init(_ clip: TokenClip, mask: Int32, choices: Int, configuration: MaskingConfiguration, key: RandomKey) {
    let time = clip.time
    tokens = Array(clip.tokens)
    actions = clip.actions
    let original = tokens
    let count = tokens.count / time
    let (noise, shown, rates) = (key.folded(in: 0), key.folded(in: 1), key.folded(in: 2))
    let corruption = configuration.corruption * 2 * rates.uniform(1 << 40)
    for t in 0..<time {
      let counter = UInt64(t)
      if actions[t] != Dynamics.noAction {
        let draw = noise.uniform(counter)
        if draw < configuration.actionNoise {
          actions[t] = Int32(noise.integer(1 << 32 + counter, below: choices))
        } else if draw < configuration.actionNoise + configuration.unseenActions, t < clip.unseen.count,
          !clip.unseen[t].isEmpty
        {
          actions[t] = clip.unseen[t][noise.integer(1 << 32 + counter, below: clip.unseen[t].count)]
        }
      }
      var rate: Float = 0
      if t > 0, t >= clip.firstPredicted, rates.uniform(counter * 4) >= configuration.clean {
        let partial =
          configuration.lowestRate + (1 - configuration.lowestRate) * rates.uniform(counter * 4 + 1)
        rate = rates.uniform(counter * 4 + 2) < configuration.full ? 1 : partial
      }
      if t == 0, clip.firstPredicted == 0, rates.uniform(1 << 41) < configuration.firstFrame {
        rate = rates.uniform(2) < configuration.full ? 1 : rates.uniform(1)
      }
      if rate == 1 { whole.append(t) }
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

  /// Shows some of the wholly masked frames as they are at play: as the model itself predicts them, or with the tokens known
  /// that it is least sure of.
  /// - Parameters:
  ///   - codes: of the masked places, the likeliest.
  ///   - entropies: of the masked places, in nats.
  ///   - truth: `[time, tokens]`.
  mutating func rehearse(
    codes: UnsafePointer<Int32>, entropies: UnsafePointer<Float>, truth: ArraySlice<Int32>,
    configuration: MaskingConfiguration, key: RandomKey
  ) {
    let count = tokens.count / actions.count
    var shown: Set<Int> = []
    for frame in whole {
      let first = masked.firstIndex(of: frame * count)!
      let draw = key.uniform(UInt64(2 * frame))
      if draw < configuration.ownFrames {
        for row in first..<first + count {
          tokens[masked[row]] = codes[row]
          shown.insert(masked[row])
        }
      } else if draw < configuration.ownFrames + configuration.pilots {
        let unsure = (first..<first + count).filter { entropies[$0] > FrameDraft.certain }
          .sorted { entropies[$0] > entropies[$1] }
        let pilots = 1 + key.integer(UInt64(2 * frame + 1), below: MaskingConfiguration.mostPilots)
        for row in unsure.prefix(pilots) {
          tokens[masked[row]] = truth[truth.startIndex + masked[row]]
          shown.insert(masked[row])
        }
      }
    }
    masked.removeAll { shown.contains($0) }
  }
}
