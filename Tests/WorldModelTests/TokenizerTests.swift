import Autograd
import NeuralNetwork
import Testing

@testable import WorldModel

@Suite struct TokenizerTests {
  private let tokenizer: Tokenizer
  private let tape = Tape(arena: Arena())

  init() throws { tokenizer = try Genie.sample().tokenizer }

  /// A code knows earlier frames and no later one: frame 2 of 6 reaches frames 2...4 with a window of 3.
  @Test func theEncoderIsCausal() {
    let patches = Tensor.random([1, 6, 16, 48], seed: 1)
    let before = tokenizer.encode(tape, tape.constant(patches)).value
    patches.disturb(frame: 2)
    let after = tokenizer.encode(tape, tape.constant(patches)).value
    for t in 0..<6 {
      if (2...4).contains(t) {
        #expect(largestDifference(before.frame(t), after.frame(t)) > 1e-3)
      } else {
        #expect(before.frame(t) == after.frame(t))
      }
    }
  }

  @Test func theDecoderIsCausal() {
    let vectors = Tensor.random([1, 6, 16, 4], seed: 2)
    let before = tokenizer.decode(tape, tape.constant(vectors)).value
    vectors.disturb(frame: 2)
    let after = tokenizer.decode(tape, tape.constant(vectors)).value
    for t in 0..<6 {
      if (2...4).contains(t) {
        #expect(largestDifference(before.frame(t), after.frame(t)) > 1e-3)
      } else {
        #expect(before.frame(t) == after.frame(t))
      }
    }
  }

  @Test func codesAreThoseOfTheNearestVectors() {
    let clip = sampleClip(frames: 4)
    let codes = tokenizer.encode(clip, arena: Arena())
    #expect(codes.count == 4 * 16)
    #expect(codes.allSatisfy { $0 >= 0 && $0 < 12 })
    #expect(Set(codes).count > 2)
    let both = FrameBatch(clips: 2, time: 2, height: 16, width: 16, bytes: clip.bytes)
    let (first, second) = (both.clips(0..<1), both.clips(1..<2))
    #expect(
      tokenizer.encode(both, arena: Arena())
        == tokenizer.encode(first, arena: Arena()) + tokenizer.encode(second, arena: Arena()))
  }

  @Test func framesDecodedOneByOneAreThoseOfTheWholeClip() {
    let time = 10
    let key = RandomKey(seed: 3)
    let codes = (0..<time * 16).map { Int32(key.integer(UInt64($0), below: 12)) }
    let whole = tokenizer.decode(codes, clips: 1, time: time, arena: Arena())
    #expect(whole.time == time && whole.bytes.count == time * 768)
    var cache = SpaceTimeCache(tokenizer.decoder.configuration, precision: .float32)
    let prepared = PreparedBiases(tokenizer.decoder)
    for t in 0..<time {
      var frame = [UInt8](repeating: 0, count: 768)
      tape.reset()
      tokenizer.decode(
        Array(codes[t * 16..<(t + 1) * 16]), cache: cache, prepared: prepared, tape: tape, into: &frame)
      cache.advance()
      let difference = zip(frame, whole.bytes[t * 768..<(t + 1) * 768]).map { abs(Int($0) - Int($1)) }.max()!
      #expect(difference <= 1, "frame \(t)")
    }
  }
}
