import Autograd
import NeuralNetwork
import Testing

/// A transformer with parameters far from where they start, and what goes into it.
struct SpaceTimeSample {
  let parameters = Parameters(seed: 1)
  let transformer: SpaceTimeTransformer
  let configuration: SpaceTimeConfiguration
  let kind: ActionConditioningKind?
  let actionWidth = 3

  init(window: Int, kind: ActionConditioningKind?, headWidth: Int? = nil, positions: Bool = true) {
    self.kind = kind
    configuration = SpaceTimeConfiguration(
      width: 16, blocks: 2, heads: 2, headWidth: headWidth, rows: 2, columns: 3, window: window, expansion: 2,
      positions: positions, relativeBias: positions)
    transformer = SpaceTimeTransformer(
      parameters, "body", configuration, actions: kind.map { ($0, 3) })
    parameters.shake(seed: 2)
  }

  var frameSize: Int { configuration.tokens * configuration.width }

  func frames(_ time: Int, batch: Int = 1) -> Tensor {
    .random([batch, time, configuration.tokens, configuration.width], seed: 3)
  }

  func actions(_ time: Int, batch: Int = 1) -> Tensor? {
    kind.map { _ in .random([batch, time, actionWidth], seed: 4) }
  }

  /// Frames' outputs, one array each.
  func run(_ frames: Tensor, actions: Tensor?) -> [[Float]] {
    let tape = Tape(arena: Arena())
    let output = transformer(tape, tape.constant(frames), actions: actions.map(tape.constant)).value.values
    return stride(from: 0, to: output.count, by: frameSize).map { Array(output[$0..<$0 + frameSize]) }
  }

  /// One frame of many, and the action that led to it.
  private func frame(_ t: Int, of frames: Tensor, _ actions: Tensor?, _ tape: Tape) -> (Variable, Variable?) {
    let frame = frames.reshaped([frames.count / frameSize, frameSize]).slice(t..<t + 1)
    let action = actions.map { $0.reshaped([$0.count / actionWidth, actionWidth]).slice(t..<t + 1) }
    return (
      tape.constant(frame.reshaped([1, 1, configuration.tokens, configuration.width])),
      action.map { tape.constant($0.reshaped([1, 1, actionWidth])) }
    )
  }

  /// One frame against a cache.
  func run(
    _ frames: Tensor, actions: Tensor?, at t: Int, cache: SpaceTimeCache, prepared: PreparedBiases
  ) -> [Float] {
    let tape = Tape(arena: Arena())
    let (frame, action) = frame(t, of: frames, actions, tape)
    return transformer(tape, frame, actions: action, cache: cache, prepared: prepared).value.values
  }

  func remember(
    _ frames: Tensor, actions: Tensor?, at t: Int, cache: SpaceTimeCache, prepared: PreparedBiases
  ) {
    let tape = Tape(arena: Arena())
    let (frame, action) = frame(t, of: frames, actions, tape)
    transformer.remember(tape, frame, actions: action, cache: cache, prepared: prepared)
  }
}

@Suite struct SpaceTimeTransformerTests {
  static let kinds: [ActionConditioningKind?] = [nil] + ActionConditioningKind.allCases

  private func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max()! }

  /// A frame reaches itself and `blocks * (window - 1)` frames after it, and no other.
  @Test(arguments: [1, 2, 3]) func aFrameReachesLaterFramesOfItsReceptiveFieldAlone(window: Int) {
    let sample = SpaceTimeSample(window: window, kind: nil)
    let (time, changed) = (9, 2)
    let frames = sample.frames(time)
    let before = sample.run(frames, actions: nil)
    for i in 0..<sample.frameSize { frames[changed * sample.frameSize + i] += 1 + Float(i % 3) }
    let after = sample.run(frames, actions: nil)
    let reach = changed...changed + 2 * (window - 1)
    for t in 0..<time {
      if reach.contains(t) {
        #expect(difference(before[t], after[t]) > 1e-3, "frame \(t) does not see frame \(changed)")
      } else {
        #expect(before[t] == after[t], "frame \(t) sees frame \(changed)")
      }
    }
  }

  @Test(arguments: ActionConditioningKind.allCases)
  func anActionReachesItsFrameAndLaterOnes(kind: ActionConditioningKind) {
    let sample = SpaceTimeSample(window: 3, kind: kind)
    let (frames, actions) = (sample.frames(5), sample.actions(5)!)
    let before = sample.run(frames, actions: actions)
    for c in 0..<sample.actionWidth { actions[2 * sample.actionWidth + c] += 1 + Float(c) }
    let after = sample.run(frames, actions: actions)
    for t in 0..<2 { #expect(before[t] == after[t]) }
    for t in 2..<5 { #expect(difference(before[t], after[t]) > 1e-3) }
  }

  @Test func everyTokenSeesEveryTokenOfItsFrame() {
    let sample = SpaceTimeSample(window: 2, kind: nil)
    let frames = sample.frames(1)
    let before = sample.run(frames, actions: nil)[0]
    frames[0] += 3
    let after = sample.run(frames, actions: nil)[0]
    for token in 0..<6 {
      let own = token * 16..<(token + 1) * 16
      #expect(difference(Array(before[own]), Array(after[own])) > 1e-4)
    }
  }

  @Test func clipsOfABatchDoNotMix() {
    let sample = SpaceTimeSample(window: 3, kind: .film)
    let (frames, actions) = (sample.frames(4, batch: 2), sample.actions(4, batch: 2)!)
    let both = sample.run(frames, actions: actions)
    for clip in 0..<2 {
      let alone = sample.run(
        frames.slice(clip..<clip + 1), actions: actions.slice(clip..<clip + 1))
      for t in 0..<4 { #expect(both[clip * 4 + t] == alone[t]) }
    }
  }

  @Test(arguments: kinds) func aCacheEqualsThePassOverTheWholeSequence(kind: ActionConditioningKind?) {
    for (window, headWidth) in [(1, nil), (2, nil), (4, 12)] as [(Int, Int?)] {
      let sample = SpaceTimeSample(window: window, kind: kind, headWidth: headWidth, positions: window != 2)
      let time = 3 * window + 2
      let (frames, actions) = (sample.frames(time), sample.actions(time))
      let whole = sample.run(frames, actions: actions)
      let prepared = PreparedBiases(sample.transformer)
      var cache = SpaceTimeCache(sample.configuration, precision: .float32)
      for t in 0..<time {
        // What was tried before the frame was settled leaves nothing behind.
        _ = sample.run(frames, actions: actions, at: (t + 1) % time, cache: cache, prepared: prepared)
        let one = sample.run(frames, actions: actions, at: t, cache: cache, prepared: prepared)
        var (computed, remembered): ([UInt8], [UInt8]) = ([], [])
        cache.append(to: &computed)
        _ = sample.run(frames, actions: actions, at: (t + 1) % time, cache: cache, prepared: prepared)
        sample.remember(frames, actions: actions, at: t, cache: cache, prepared: prepared)
        cache.append(to: &remembered)
        #expect(computed == remembered, "frame \(t) of window \(window)")
        cache.advance()
        #expect(difference(whole[t], one) < 1e-4, "frame \(t) of window \(window)")
      }
      #expect(cache.frames == time)
    }
  }

  @Test func aCacheIsClearedCopiedAndRestored() {
    let sample = SpaceTimeSample(window: 3, kind: .additive)
    let (frames, actions) = (sample.frames(9), sample.actions(9))
    let prepared = PreparedBiases(sample.transformer)
    func play(_ cache: inout SpaceTimeCache, _ range: Range<Int>) -> [[Float]] {
      range.map { t in
        defer { cache.advance() }
        return sample.run(frames, actions: actions, at: t, cache: cache, prepared: prepared)
      }
    }
    var cache = SpaceTimeCache(sample.configuration, precision: .float32)
    let first = play(&cache, 0..<5)
    var (copied, restored) = (
      SpaceTimeCache(sample.configuration, precision: .float32),
      SpaceTimeCache(sample.configuration, precision: .float32)
    )
    copied.copy(from: cache)
    var bytes: [UInt8] = []
    cache.append(to: &bytes)
    #expect(bytes.count == cache.byteCount)
    restored.restore(bytes[...], frames: cache.frames)
    let rest = play(&cache, 5..<9)
    #expect(play(&copied, 5..<9) == rest)
    #expect(play(&restored, 5..<9) == rest)
    cache.clear()
    #expect(play(&cache, 0..<5) == first)
  }

  @Test func aNewBlockIsNearlyTheIdentity() {
    let parameters = Parameters(seed: 1)
    let configuration = SpaceTimeConfiguration(
      width: 16, blocks: 3, heads: 2, rows: 2, columns: 2, positions: false)
    let (deep, flat) = (
      SpaceTimeTransformer(parameters, "deep", configuration),
      SpaceTimeTransformer(
        parameters, "flat",
        SpaceTimeConfiguration(
          width: 16, blocks: 0, heads: 2, rows: 2, columns: 2, positions: false))
    )
    let tape = Tape(arena: Arena())
    let x = tape.constant(.random([1, 2, 4, 16], seed: 5))
    #expect(difference(deep(tape, x).value.values, flat(tape, x).value.values) < 0.5)
  }

  /// Full attention knows no later frame and none before its window; within it, every token of every frame reaches every other.
  @Test func fullAttentionIsCausalWithinItsWindow() {
    let parameters = Parameters(seed: 3)
    let configuration = SpaceTimeConfiguration(
      width: 16, blocks: 1, heads: 2, rows: 2, columns: 2, window: 3, attention: .full)
    let transformer = SpaceTimeTransformer(parameters, "full", configuration)
    #expect(parameters.all.allSatisfy { !$0.name.contains("temporal.qkv") })
    let frames = Tensor.random([1, 6, 4, 16], seed: 5)
    func output() -> [[Float]] {
      let result = transformer(Tape(arena: Arena()), Tape(arena: Arena()).constant(frames)).value
      return (0..<6).map { Array(result.values[$0 * 64..<($0 + 1) * 64]) }
    }
    let before = output()
    // One token of frame 2.
    for i in stride(from: 2 * 64, to: 2 * 64 + 16, by: 3) { frames[i] += 3 }
    let after = output()
    for frame in [0, 1, 5] { #expect(difference(before[frame], after[frame]) == 0, "frame \(frame)") }
    for frame in [2, 3, 4] {
      for token in 0..<4 {
        let range = token * 16..<(token + 1) * 16
        #expect(difference(Array(before[frame][range]), Array(after[frame][range])) > 0, "frame \(frame)")
      }
    }
  }

  /// Its gradients are those of finite differences.
  @Test func fullAttentionHasTheRightGradients() {
    let parameters = Parameters(seed: 4)
    let transformer = SpaceTimeTransformer(
      parameters, "full",
      SpaceTimeConfiguration(
        width: 8, blocks: 1, heads: 2, rows: 1, columns: 2, window: 2, attention: .full))
    let (frames, wanted) = (Tensor.random([1, 3, 2, 8], seed: 5), Tensor.random([1, 3, 2, 8], seed: 6))
    func loss(_ tape: Tape) -> Variable {
      tape.squaredError(transformer(tape, tape.constant(frames)), wanted, scale: 1)
    }
    let gradients = Gradients(parameters)
    let tape = Tape(arena: Arena(), gradients: gradients)
    tape.backward(from: loss(tape))
    for parameter in parameters.all {
      let gradient = gradients.tensor(parameter)
      let place = parameter.value.count / 2
      let kept = parameter.value[place]
      func at(_ step: Float) -> Float {
        parameter.value[place] = kept + step
        defer { parameter.value[place] = kept }
        return loss(Tape(arena: Arena())).value[0]
      }
      let numeric = (at(1e-2) - at(-1e-2)) / 2e-2
      #expect(abs(numeric - gradient[place]) < 2e-2 * max(1, abs(numeric)), "\(parameter.name)")
    }
  }

  /// Every parameter has a part in the output.
  @Test(arguments: kinds) func everyParameterGetsAGradient(kind: ActionConditioningKind?) {
    let sample = SpaceTimeSample(window: 3, kind: kind)
    let gradients = Gradients(sample.parameters)
    let tape = Tape(arena: Arena(), gradients: gradients)
    let output = sample.transformer(
      tape, tape.constant(sample.frames(4)), actions: sample.actions(4).map(tape.constant))
    tape.backward(from: output, gradient: .random(output.shape, seed: 6))
    for parameter in sample.parameters.all {
      let largest = gradients.tensor(parameter).values.map(abs).max()!
      #expect(largest > 1e-4 && largest.isFinite, "\(parameter.name): \(largest)")
    }
  }
}
