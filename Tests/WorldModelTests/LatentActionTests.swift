import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@testable import WorldModel

@Suite struct LatentActionTests {
  /// Vectors of the transitions of a clip, one array each.
  private func vectors(_ model: LatentActionModel, _ clip: FrameBatch) -> [[Float]] {
    let arena = Arena()
    let tape = Tape(arena: arena)
    let features = MotionFeatures(radius: model.configuration.motionRadius)
      .features(PooledFrames(clip, by: model.configuration.pooling), patches: model.patches, arena: arena)
    let encoded = model.encode(tape, tape.constant(features)).value
    #expect(encoded.shape == [1, clip.time - 1, 4])
    return (0..<clip.time - 1).map(encoded.frame)
  }

  private func disturbed(_ clip: FrameBatch, frame: Int) -> FrameBatch {
    var bytes = clip.bytes
    for i in frame * clip.frameSize..<(frame + 1) * clip.frameSize { bytes[i] = bytes[i] &* 7 &+ 90 }
    return FrameBatch(clips: 1, time: clip.time, height: 16, width: 16, bytes: bytes)
  }

  /// Frame 3 belongs to transitions 2 and 3; with a window of 3, transitions up to 5 look back at these. No
  /// earlier one sees it: a code of the past knows no later frame, and a past frame can change a later code.
  @Test(arguments: [0, 1, 2]) func codesSeeThePastAndNoLaterFrame(motionRadius: Int) throws {
    let model = try Genie.sample(.sample(motionRadius: motionRadius)).latentActions
    let clip = sampleClip(frames: 9)
    let (before, after) = (vectors(model, clip), vectors(model, disturbed(clip, frame: 3)))
    for transition in 0..<8 {
      if (2...5).contains(transition) {
        #expect(largestDifference(before[transition], after[transition]) > 1e-4, "transition \(transition)")
      } else {
        #expect(before[transition] == after[transition], "transition \(transition)")
      }
    }
  }

  @Test func inferredCodesAreThoseOfTheNearestVectors() throws {
    let model = try Genie.sample().latentActions
    let clip = sampleClip(frames: 9)
    let codes = model.infer(clip, arena: Arena())
    #expect(codes.count == 8 && codes.allSatisfy { $0 >= 0 && $0 < 4 })
    let codebook = model.quantizer.codebook
    let expected = vectors(model, clip).map { vector in
      (0..<4).max { left, right in
        func along(_ code: Int) -> Float { (0..<4).reduce(0) { $0 + vector[$1] * codebook[code * 4 + $1] } }
        return along(left) < along(right)
      }!
    }
    #expect(codes == expected.map { Int32($0) })
  }

  @Test func actionsThatDoTheSameAreGivenByChance() throws {
    let genie = try Genie.sample()
    let model = genie.latentActions
    #expect(model.alike == [[0], [1], [2], [3]])
    #expect(model.actionVectors.values == model.quantizer.codebook.values)
    let clip = sampleClip(frames: 60)
    let codes = model.codes(clip, arena: Arena())
    #expect(model.infer(clip, arena: Arena()) == codes)
    let commonest = Int((0..<4).max { a, b in codes.count { $0 == a } < codes.count { $0 == b } }!)
    let twin = (commonest + 1) % 4
    model.merge((0..<4).map { $0 == twin ? commonest : $0 })
    #expect(model.alike[twin] == [commonest, twin].sorted() && model.alike[commonest] == model.alike[twin])
    let vectors = model.actionVectors
    for c in 0..<4 {
      #expect(vectors[twin * 4 + c] == model.quantizer.codebook[commonest * 4 + c])
    }
    let inferred = model.infer(clip, arena: Arena())
    for (code, action) in zip(codes, inferred) { #expect(model.alike[Int(code)].contains(Int(action))) }
    for action in [commonest, twin] { #expect(inferred.count { $0 == action } >= 5) }
    // The same transition always the same, whatever is encoded beside it.
    let part = model.codes(clip.frames(10..<40), arena: Arena())
    let again = model.infer(clip.frames(10..<40), arena: Arena())
    for index in part.indices where part[index] == codes[10 + index] {
      #expect(again[index] == inferred[10 + index])
    }
    let folder = try TemporaryFolder()
    try genie.save(to: folder.url)
    let loaded = try Genie(folder: folder.url, sampling: genie.configuration.sampling).latentActions
    #expect(loaded.alike == model.alike)
  }

  /// Of four actions the first and the last are one, and the second is mistaken for the third, but not the other way round.
  @Test func likenessIsOfBothWays() {
    let likeness = ActionLikeness(
      errors: [[1, 9, 11, 1.1], [8, 2, 2.1, 9], [12, 9, 3, 8], [2.2, 10, 11, 2]], uses: [5, 7, 9, 8])
    #expect(likeness.leaders(share: 0.05) == [3, 1, 2, 3])
    #expect(likeness.leaders(share: 0) == [0, 1, 2, 3])
    #expect(Set(likeness.leaders(share: 1)).count < 3)
  }

  /// Two codes of the same vector do the same in the decoder, too.
  @Test func theDecoderTellsWhichCodesDoTheSame() throws {
    let model = try Genie.sample().latentActions
    let book = model.quantizer.codebook
    for c in 0..<4 { book[12 + c] = book[4 + c] }
    let clip = sampleClip(frames: 40)
    let likeness = ActionLikeness(
      model, clips: (0..<36).map { clip.frames($0..<$0 + 4) }, emphasis: 10, workers: Workers(count: 2))
    #expect(
      ActionLikeness(
        model, clips: (0..<36).map { clip.frames($0..<$0 + 4) }, emphasis: 10, workers: Workers(count: 1)
      ).errors == likeness.errors)
    #expect(likeness.uses.reduce(0, +) == 36)
    for row in likeness.errors { #expect(row[1] == row[3]) }
    for action in 0..<3 where likeness.uses[action] > 0 {
      #expect(
        (0..<3).contains {
          $0 != action && abs(likeness.errors[action][$0] - likeness.errors[action][action]) > 1e-6
        })
    }
    let leaders = likeness.leaders(share: 1e-9)
    #expect(leaders[1] == leaders[3] || likeness.uses[1] == 0)
  }

  /// The decoder predicts frame t + 1 from frames up to t and the codes up to that one.
  @Test(arguments: ActionConditioningKind.allCases) func theDecoderIsCausal(kind: ActionConditioningKind)
    throws
  {
    let model = try Genie.sample(.sample(conditioning: kind)).latentActions
    let tape = Tape(arena: Arena())
    let (frames, codes) = (Tensor.random([1, 6, 4, 48], seed: 1), Tensor.random([1, 6, 4], seed: 2))
    func predicted() -> Tensor {
      model.predictChange(tape, tape.constant(frames), codes: tape.constant(codes)).value
    }
    let before = predicted()
    codes.disturb(frame: 3)
    let acted = predicted()
    frames.disturb(frame: 3)
    let seen = predicted()
    for t in 0..<3 { #expect(before.frame(t) == acted.frame(t) && before.frame(t) == seen.frame(t)) }
    #expect(largestDifference(before.frame(3), acted.frame(3)) > 1e-3, "the code does nothing")
    #expect(largestDifference(acted.frame(4), seen.frame(4)) > 1e-3, "the past is not seen")
  }
}

@Suite struct MotionTests {
  private let layout = Patches(height: 8, width: 8, size: 4)

  /// Two frames of noise, the second moved by (dy, dx) with wrapping.
  private func moved(dy: Int, dx: Int) -> PooledFrames {
    let key = RandomKey(seed: 5)
    let first = (0..<192).map { UInt8(key.integer(UInt64($0), below: 256)) }
    let second = (0..<192).map { place in
      let (row, column) = ((place / 24 - dy + 8) % 8, (place / 3 - dx + 8) % 8)
      return first[(row * 8 + column) * 3 + place % 3]
    }
    return PooledFrames(
      FrameBatch(clips: 1, time: 2, height: 8, width: 8, bytes: first + second), by: 1)
  }

  @Test func poolingAverages() {
    let bytes = (0..<48).map { UInt8($0 * 5) }
    let pooled = PooledFrames(FrameBatch(clips: 1, time: 1, height: 4, width: 4, bytes: bytes), by: 2)
    #expect(pooled.height == 2 && pooled.width == 2)
    let expected = [0, 3, 12, 15].map { Float(bytes[$0]) }.reduce(0, +) / (4 * 255)
    #expect(abs(pooled.values[0] - expected) < 1e-6)
  }

  @Test func rollingMovesRowsAround() {
    let pooled = moved(dy: 0, dx: 0)
    let rolled = pooled.rolled(rows: [3])
    for row in 0..<8 {
      #expect(
        rolled.values[row * 24..<row * 24 + 24] == pooled.values[(row + 3) % 8 * 24..<(row + 3) % 8 * 24 + 24]
      )
    }
    #expect(rolled.rolled(rows: [5]).values == pooled.values)
  }

  @Test(arguments: [(0, 0), (1, 0), (0, -1), (-1, 1)]) func theCostVolumeIsZeroAtTheTrueDisplacement(
    dy: Int, dx: Int
  ) {
    let features = MotionFeatures(radius: 1)
    let volume = features.features(moved(dy: dy, dx: dx), patches: layout, arena: Arena())
    #expect(volume.shape == [1, 1, 4, 16 * 9])
    // Pixels of the inner square only: at the edges the displaced pixel is outside.
    for row in 1..<7 {
      for column in 1..<7 {
        let patch = row / 4 * 2 + column / 4
        let place = patch * 144 + (row % 4 * 4 + column % 4) * 9
        for displacement in 0..<9 {
          let isTrue = displacement == (dy + 1) * 3 + dx + 1
          #expect((volume[place + displacement] == 0) == isTrue)
        }
      }
    }
  }

  @Test func withoutARadiusTheFeaturesAreTheFrameAndItsChange() {
    let frames = moved(dy: 1, dx: 0)
    let features = MotionFeatures(radius: 0).features(frames, patches: layout, arena: Arena())
    #expect(features.shape == [1, 1, 4, 16 * 6])
    for c in 0..<3 {
      #expect(features[c] == frames.values[192 + c] - 0.5)
      #expect(features[3 + c] == frames.values[192 + c] - frames.values[c])
    }
  }

  @Test func whatTheDominantMotionExplainsCountsLess() {
    let frames = moved(dy: 1, dx: 0)
    let weights = MotionWeights(radius: 2, emphasis: 10).weights(frames, patches: layout, arena: Arena())
    let mean = weights.values.reduce(0, +) / Float(weights.count)
    #expect(abs(mean - 1) < 1e-4)
    // The first row came in from outside: no action can foretell it. All others are explained.
    for (place, weight) in weights.values.enumerated() {
      let row = place / 48 / 2 * 4 + place % 48 / 12
      #expect(abs(weight - (row == 0 ? 0 : 8.0 / 7)) < 1e-3)
    }
  }
}
