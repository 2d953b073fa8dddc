import Autograd
import Testing

@testable import WorldModel

@Suite("Model work")
struct ModelWorkTests {
  private let configuration = GenieConfiguration(
    tokenizer: TokenizerConfiguration(height: 32, width: 32, channels: 64, heads: 2),
    latentActions: LatentActionConfiguration(height: 32, width: 32),
    dynamics: DynamicsConfiguration(
      rows: 4, columns: 4, channels: 64, blocks: 2, heads: 2, window: 4, conditioning: .additive,
      neighbourhood: 1),
    sampling: SamplingConfiguration(steps: 4))

  @Test("One block, counted by hand")
  func byHand() {
    let d = DynamicsConfiguration(
      rows: 2, columns: 2, vocabulary: 10, channels: 8, blocks: 1, heads: 1, window: 3)
    // qkv and out twice, feed-forward: 16 d^2; scores and sums: 2 d for each token and frame that is seen. The three
    // frames see 1, 2 and 3.
    let body = 3.0 * 4 * 2 * Double(16 * 8 * 8) + 3 * 4 * 2 * Double(2 * 8 * 4) + 4 * 2 * Double(2 * 8 * 6)
    #expect(d.trainingFlops(clips: 1, time: 3, predicted: 5) == 3 * (body + 2 * 5 * 8 * 10))
    var told = d
    told.neighbourhood = 1
    let more = 3.0 * 4 * 2 * Double(9 * 8 * 8)
    #expect(told.trainingFlops(clips: 1, time: 3, predicted: 5) == 3 * (body + more + 2 * 5 * 8 * 10))
  }

  @Test("A training step runs what is counted, and little else")
  func training() {
    let benchmark = DynamicsBenchmark(
      configuration.dynamics, clips: 2, time: 8, workers: Workers(count: 2), precision: .float32)
    let ran = benchmark.profiledStep().flatMap(\.entries.values).reduce(0) { $0 + $1.flops }
    #expect((1..<1.1).contains(ran / benchmark.flopsPerStep))
  }

  @Test("A frame runs what is counted, and little else")
  func sampling() throws {
    let genie = try Genie(configuration, seed: 1)
    let sampler = FrameSampler(PreparedGenie(genie, precision: .float32))
    var state = WorldState(genie, precision: .float32)
    let profile = Profile()
    sampler.profile = profile
    var frame = [UInt8](repeating: 0, count: 32 * 32 * 3)
    _ = frame.withUnsafeMutableBufferPointer {
      sampler.next(
        action: 0, state: &state, configuration: configuration.sampling, key: RandomKey(seed: 1),
        into: $0.baseAddress!)
    }
    let ran = profile.entries.values.reduce(0) { $0 + $1.flops }
    #expect((1..<1.2).contains(ran / configuration.frameFlops(steps: 4)))
  }

  @Test("A world of the tiny size takes less than 5 MB beside the models")
  func memory() throws {
    var tiny = configuration
    tiny.tokenizer = TokenizerConfiguration()
    tiny.latentActions = LatentActionConfiguration()
    tiny.dynamics = DynamicsConfiguration(channels: 128, blocks: 4, window: 16)
    let genie = try Genie(tiny, seed: 1)
    #expect(WorldState(genie, precision: .bfloat16).byteCount < 2_500_000)
    #expect(WorldState(genie, precision: .float32).byteCount < 5_000_000)
  }

  @Test("Old worlds cost no more than young ones")
  func flat() throws {
    let genie = try Genie(configuration, seed: 1)
    let sampler = FrameSampler(PreparedGenie(genie, precision: .preferred))
    var state = WorldState(genie, precision: .preferred)
    var frame = [UInt8](repeating: 0, count: 32 * 32 * 3)
    let times = (0..<400).map { _ in
      let start = ContinuousClock.now
      _ = frame.withUnsafeMutableBufferPointer {
        sampler.next(
          action: 0, state: &state, configuration: configuration.sampling, key: RandomKey(seed: 1),
          into: $0.baseAddress!)
      }
      return ContinuousClock.now - start
    }
    // Medians, since a busy machine makes some frames slow at any age.
    let (young, old) = (times[50..<150].sorted()[50], times[300...].sorted()[50])
    #expect(old / young < 1.5)
  }
}
