import Autograd
import NeuralNetwork
import Testing

@testable import WorldModel

@Suite struct ModelSizeTests {
  /// What is told from the configuration is what is built.
  @Test(arguments: ActionConditioningKind.allCases) func countsAreThoseOfBuiltModels(
    conditioning: ActionConditioningKind
  ) throws {
    var other = GenieConfiguration.sample(conditioning: conditioning, motionRadius: 0)
    other.tokenizer.encoderPositions = false
    other.latentActions.bilinearHead = false
    other.dynamics.headWidth = 5
    other.dynamics.neighbourhood = 2
    other.tokenizer.encoderAttention = .full
    for configuration in [GenieConfiguration.sample(conditioning: conditioning), other] {
      let genie = try Genie(configuration, seed: 1)
      #expect(configuration.dynamics.parameterCount == genie.dynamics.parameters.count)
      #expect(configuration.tokenizer.parameterCount == genie.tokenizer.parameters.count)
      #expect(configuration.latentActions.parameterCount == genie.latentActions.parameters.count)
    }
  }

  /// Memory is foretold within a quarter.
  @Test(arguments: [(64, 2, 2, 8), (128, 4, 4, 16), (256, 3, 8, 8)])
  func activationsAreForetold(channels: Int, blocks: Int, heads: Int, time: Int) {
    let dynamics = DynamicsConfiguration(
      channels: channels, blocks: blocks, heads: heads, window: 8, conditioning: .additive)
    let benchmark = DynamicsBenchmark(
      dynamics, clips: 1, time: time, workers: Workers(count: 1), precision: .float32)
    for _ in 0..<2 { benchmark.step() }
    let share = Double(dynamics.activationBytes(time: time)) / Double(benchmark.activationBytes)
    #expect((0.75...1.33).contains(share), "\(share)")
  }

  @Test func serversAndWorldsAreForetold() throws {
    let configuration = GenieConfiguration.sample()
    let genie = try Genie(configuration, seed: 1)
    for precision in [Precision.float32, .preferred] {
      #expect(
        configuration.worldBytes(precision: precision) == WorldState(genie, precision: precision).byteCount)
    }
    #expect(configuration.servingBytes(precision: .float32) > 4 * genie.dynamics.parameters.count)
  }
}

@Suite struct PaperLadderTests {
  /// Layers, heads, width and key size are the paper's; every preset can be built.
  @Test func presetsHaveThePapersShapes() throws {
    #expect(PaperModel.ladder.count == 8)
    let table: [String: [Int]] = [
      "paper-41m": [18, 8, 512, 64], "paper-96m": [16, 16, 768, 64], "paper-192m": [20, 18, 1024, 64],
      "paper-404m": [21, 12, 1536, 128], "paper-811m": [20, 20, 2048, 128],
      "paper-1.6b": [28, 22, 2560, 128], "paper-2.7b": [36, 22, 3072, 128],
      "paper-10.1b": [48, 36, 5120, 128],
    ]
    for (name, shape) in table {
      let d = try #require(GenieConfiguration.presets[name]).dynamics
      #expect([d.blocks, d.heads, d.channels, d.headWidth] == shape, "\(name)")
    }
    for (name, preset) in GenieConfiguration.presets { #expect(preset.problem == nil, "\(name)") }
    #expect(PaperModel.named("paper-platformers")?.preset == "paper-10.1b")
    #expect(PaperModel.named("tiny") == nil)
  }

  /// A block of ours has 8 + 8 i/d squares of the width; the paper's table has 8 to 10 in all.
  @Test func countsDifferAsIsSaid() {
    for model in PaperModel.ladder.dropLast() {
      #expect((7...11).contains(model.squaresPerLayer), "\(model)")
      let ours = Double(GenieConfiguration.platformers(model).dynamics.parameterCount)
      #expect((1.5...2.2).contains(ours / model.parameters), "\(model)")
    }
  }

  private func plan(_ hosts: Int, network: Double = 1.25e9) -> TrainingPlan {
    TrainingPlan(
      .platformers(PaperModel.ladder[0]), batch: 256, time: 16, steps: 200_000, hosts: hosts,
      rates: MachineRates(trainingFlops: 1e12, importFrames: 1000),
      network: Network(bytesPerSecond: network, latencySeconds: 0), dataHours: 100)
  }

  /// The work of the paper's smallest model, by our count, is that of its table within the share that the blocks are larger.
  @Test func workIsThatOfThePaper() {
    #expect((1.5...2.2).contains(plan(1).flops / 2.05e20), "\(plan(1).flops)")
  }

  @Test func hostsShareTheWorkAndWaitForTheNetwork() {
    let (one, four) = (plan(1), plan(4))
    #expect(one.efficiency == 1 && one.stepTraffic == 0 && one.networkSeconds == 0)
    #expect(four.computeSeconds == one.computeSeconds / 4)
    #expect(four.stepTraffic == 8 * Double(four.configuration.dynamics.parameterCount) * 3 / 4)
    #expect(abs(four.networkSeconds - four.stepTraffic / 1.25e9) < 1e-9)
    #expect(four.efficiency < 1 && four.trainingSeconds > one.trainingSeconds / 4)
    #expect(plan(4, network: 1e8).efficiency < four.efficiency)
    #expect(four.frames == 3_600_000 && four.importSeconds == 900)
    #expect(four.tokenBytes == 3_600_000 * 1924)
  }
}
