import Autograd
import Foundation
import Testing

@testable import WorldModel

@Suite struct MaskedClipTests {
  private let time = 6
  private let count = 16
  private var clean: [Int32] { (0..<Int32(time * count)).map { $0 % 11 } }
  private let actions: [Int32] = [-1, 0, 1, 2, 3, 0]

  private func masked(_ configuration: MaskingConfiguration, seed: UInt64) -> MaskedClip {
    MaskedClip(
      TokenClip(tokens: clean[...], actions: actions), mask: 99, choices: 4, configuration: configuration,
      key: RandomKey(seed: seed))
  }

  @Test func theFirstFrameIsNeverMaskedAndMasksAreListed() {
    for seed in 0..<300 {
      let clip = masked(MaskingConfiguration(), seed: UInt64(seed))
      #expect(clip.masked == clip.tokens.indices.filter { clip.tokens[$0] == 99 })
      #expect(clip.masked.allSatisfy { $0 >= count })
      #expect(clip.actions[0] == Dynamics.noAction)
      #expect(clip.actions.dropFirst().allSatisfy { (0..<4).contains($0) })
      #expect(clip.tokens.allSatisfy { $0 == 99 || (0..<11).contains($0) })
    }
  }

  /// Of 5 frames of 2000 clips: the share of frames that stay whole, that are masked wholly, and the rate of
  /// the others.
  @Test func rates() {
    let configuration = MaskingConfiguration(
      clean: 0.3, full: 0.4, lowestRate: 0.5, corruption: 0, actionNoise: 0)
    var (whole, full, rates): (Int, Int, [Double]) = (0, 0, [])
    for seed in 0..<2000 {
      let clip = masked(configuration, seed: UInt64(seed))
      #expect(clip.actions == actions)
      for t in 1..<time {
        let hidden = (0..<count).count { clip.tokens[t * count + $0] == 99 }
        if hidden == 0 {
          whole += 1
        } else if hidden == count {
          full += 1
        } else {
          rates.append(Double(hidden) / 16)
        }
        for i in t * count..<(t + 1) * count where clip.tokens[i] != 99 {
          #expect(clip.tokens[i] == clean[i])
        }
      }
    }
    #expect(abs(Double(whole) / 10_000 - 0.3) < 0.02)
    // Rates near 1 mask all sixteen tokens now and then.
    #expect(abs(Double(full) / 10_000 - (0.28 + 0.42 * 0.12)) < 0.03)
    let mean = rates.reduce(0, +) / Double(rates.count)
    #expect(abs(mean - 0.72) < 0.03)
  }

  /// What a clip was chosen for is shown; only what comes after it is predicted.
  @Test func framesBeforeTheFirstPredictedAreShown() {
    var clip = TokenClip(tokens: clean[...], actions: actions)
    clip.firstPredicted = 3
    let configuration = MaskingConfiguration(clean: 0, firstFrame: 1)
    var frames: Set<Int> = []
    for seed in 0..<50 {
      let shown = MaskedClip(
        clip, mask: 99, choices: 4, configuration: configuration, key: RandomKey(seed: UInt64(seed)))
      frames.formUnion(shown.masked.map { $0 / count })
    }
    #expect(frames == [3, 4, 5])
  }

  @Test func corruptionAndNoise() {
    let configuration = MaskingConfiguration(
      clean: 1, full: 0, lowestRate: 0.5, corruption: 0.1, actionNoise: 0.2)
    var (corrupted, changed) = (0, 0)
    for seed in 0..<1000 {
      let clip = masked(configuration, seed: UInt64(seed))
      #expect(clip.masked.isEmpty)
      corrupted += zip(clip.tokens, clean).count { $0 != $1 }
      changed += zip(clip.actions, actions).count { $0 != $1 }
    }
    // The mean rate is the configured one; a random code is the same one time in 11, a random action in 4.
    #expect(abs(Double(corrupted) / 96_000 - 0.1 * 10 / 11) < 0.01)
    #expect(abs(Double(changed) / 5000 - 0.2 * 3 / 4) < 0.02)
  }

  @Test func aClipIsAFunctionOfItsKey() {
    let (one, same, other) = (
      masked(MaskingConfiguration(), seed: 1), masked(MaskingConfiguration(), seed: 1),
      masked(MaskingConfiguration(), seed: 2)
    )
    #expect(one.tokens == same.tokens && one.actions == same.actions && one.masked == same.masked)
    #expect(one.tokens != other.tokens)
  }

  @Test func aSliceOfALargerArray() {
    let padded = [Int32](repeating: 5, count: 7) + clean
    let clip = MaskedClip(
      TokenClip(tokens: padded[7...], actions: actions), mask: 99, choices: 4,
      configuration: MaskingConfiguration(), key: RandomKey(seed: 4))
    #expect(clip.tokens == masked(MaskingConfiguration(), seed: 4).tokens)
    #expect(clip.actions == masked(MaskingConfiguration(), seed: 4).actions)
  }

  @Test func onlyUnseenActionsTakeThePlaceOfOthers() {
    var clip = TokenClip(tokens: clean[...], actions: actions)
    clip.unseen = [[], [], [3], [0, 1], [], [2]]
    let configuration = MaskingConfiguration(actionNoise: 0, unseenActions: 0.5)
    var (changed, possible) = (0, 0)
    for seed in 0..<400 {
      let shown = MaskedClip(
        clip, mask: 99, choices: 4, configuration: configuration, key: RandomKey(seed: UInt64(seed)))
      for (t, action) in shown.actions.enumerated() {
        possible += clip.unseen[t].isEmpty ? 0 : 1
        guard action != actions[t] else { continue }
        changed += 1
        #expect(clip.unseen[t].contains(action))
      }
    }
    #expect(abs(Double(changed) / Double(possible) - 0.5) < 0.05)
  }

  @Test func rehearsalShowsOwnFramesOrPilots() {
    let wholly = MaskingConfiguration(
      clean: 0, full: 1, corruption: 0, actionNoise: 0, ownFrames: 0.4, pilots: 0.4)
    var (own, pilots, left) = (0, 0, 0)
    for seed in 0..<300 {
      var clip = masked(wholly, seed: UInt64(seed))
      let rows = clip.masked.count
      #expect(rows == (time - 1) * count)
      let codes = [Int32](repeating: 50, count: rows)
      // Of each frame, tokens 3 and 7 are doubtful, and 7 is more so.
      let entropies = (0..<rows).map { Float($0 % count == 3 ? 0.5 : $0 % count == 7 ? 0.9 : 0.1) }
      clip.rehearse(
        codes: codes, entropies: entropies, truth: clean[...], configuration: wholly,
        key: RandomKey(seed: UInt64(seed)))
      #expect(clip.masked == clip.tokens.indices.filter { clip.tokens[$0] == 99 })
      for frame in 1..<time {
        let range = frame * count..<(frame + 1) * count
        let shown = range.filter { clip.tokens[$0] != 99 }
        if shown.count == count {
          own += 1
          #expect(shown.allSatisfy { clip.tokens[$0] == 50 })
        } else if shown.isEmpty {
          left += 1
        } else {
          pilots += 1
          #expect(shown.map { $0 % count } == [7] || shown.map { $0 % count } == [3, 7])
          #expect(shown.allSatisfy { clip.tokens[$0] == clean[$0] })
        }
      }
    }
    #expect(abs(Double(own) / 1500 - 0.4) < 0.05)
    #expect(abs(Double(pilots) / 1500 - 0.4) < 0.05)
    #expect(left > 0)
  }
}
