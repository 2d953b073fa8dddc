import Autograd
import Environments
import Foundation
import NeuralNetwork
import Testing

@testable import ReinforcementLearning

@Suite struct ActorCriticTests {
  let actions = Discrete(6, names: ["a", "b", "c", "d", "e", "f"])

  @Test(arguments: [(1, 5), (9, 12), (64, 64), (90, 160)])
  func takesFramesOfAnySize(height: Int, width: Int) throws {
    let frame = Box(height: height, width: width)
    let network = try ActorCritic(
      ActorCriticConfiguration(frame: frame, frames: 2, actions: actions, hidden: 32), seed: 1)
    let inference = BatchInference(network, workers: Workers(count: 2))
    let bytes = (0..<3 * 2 * frame.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let (logits, values) = inference(bytes, count: 3)
    #expect(logits.count == 18 && values.count == 3)
    #expect((logits + values).allSatisfy { $0.isFinite })
    // Workers share the rows out; the rows do not notice.
    let alone = BatchInference(network, workers: Workers(count: 1))(bytes, count: 3)
    #expect(zip(alone.logits, logits).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func startsAlmostUniformWithOrthogonalWeights() throws {
    let network = try ActorCritic(
      ActorCriticConfiguration(frame: Box(height: 64, width: 64), actions: actions), seed: 3)
    for parameter in network.parameters.all where parameter.name.hasSuffix(".weight") {
      let gain: Float =
        parameter.name.hasPrefix("policy")
        ? 0.01 : parameter.name.hasPrefix("value") ? 1 : Float(2).squareRoot()
      let (rows, columns) = (parameter.shape[0], parameter.shape[1])
      let tall = rows >= columns
      let size = min(rows, columns)
      let gram = Tensor(shape: [size, size])
      gram.assignProduct(parameter.value, transposedA: tall, parameter.value, transposedB: !tall)
      for i in 0..<size {
        for j in 0..<size {
          #expect(abs(gram[i * size + j] - (i == j ? gain * gain : 0)) < 1e-4)
        }
      }
    }
  }

  @Test func aFileBringsThePolicyBack() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: UUID().uuidString + PolicyFile.suffix)
    defer { try? FileManager.default.removeItem(at: url) }
    let configuration = ActorCriticConfiguration(
      frame: Box(height: 16, width: 16), frames: 3, actions: actions, hidden: 16)
    let network = try ActorCritic(configuration, seed: 5)
    try PolicyFile(network, environment: "Dream-v1", steps: 1234, seed: 5).write(to: url)
    let loaded = try PolicyFile(contentsOf: url)
    #expect(loaded.record.network == configuration)
    #expect(loaded.record.environment == "Dream-v1" && loaded.record.steps == 1234)
    for (a, b) in zip(network.parameters.all, loaded.network.parameters.all) {
      #expect(a.name == b.name && a.value.values == b.value.values)
    }
  }

  @Test func configurationsThatDescribeNoNetworkAreErrors() {
    let frame = Box(height: 16, width: 16)
    let huge = ActorCriticConfiguration.Stage(filters: 1 << 40, kernel: 3, stride: 1)
    let wide = ActorCriticConfiguration.Stage(filters: 8, kernel: 17, stride: 1)
    let still = ActorCriticConfiguration.Stage(filters: 8, kernel: 3, stride: 0)
    for stage in [huge, wide, still] {
      #expect(throws: PolicyError.self) {
        try ActorCritic(ActorCriticConfiguration(frame: frame, actions: actions, stages: [stage]), seed: 1)
      }
    }
    #expect(throws: PolicyError.self) {
      try ActorCritic(ActorCriticConfiguration(frame: frame, frames: 0, actions: actions), seed: 1)
    }
    #expect(throws: PolicyError.self) {
      try ActorCritic(ActorCriticConfiguration(frame: frame, actions: actions, hidden: .max), seed: 1)
    }
    // Each size is allowed, and their product is more than an integer holds.
    let deep = Box(height: 1 << 14, width: 1 << 14, channels: 1 << 14)
    #expect(throws: PolicyError.self) {
      try ActorCritic(
        ActorCriticConfiguration(frame: deep, frames: 1 << 14, actions: actions, stages: [], hidden: 1 << 14),
        seed: 1)
    }
  }

  @Test func aPolicyKnowsWhereItCannotAct() throws {
    let network = try ActorCritic(
      ActorCriticConfiguration(frame: Box(height: 1, width: 6, channels: 1), actions: Discrete(2)), seed: 1)
    let policy = ActorCriticPolicy(network, choice: .greedy, workers: Workers(count: 1))
    try policy.check(Corridor().specification)
    #expect(throws: PolicyError.self) { try policy.check(Platformer().specification) }
    #expect(throws: PolicyError.actionMismatch(policy: 8, environment: 6)) {
      try RandomPolicy(actionCount: 8).check(Platformer().specification)
    }
    #expect(throws: PolicyError.self) { try ConstantPolicy(action: 6).check(Platformer().specification) }
    #expect(throws: PolicyError.self) { try ConstantPolicy(action: -1).check(Platformer().specification) }
  }

  @Test func samplingFollowsTheDistribution() {
    // Probabilities 0.7, 0.2, 0.1.
    let logits = [Float(0.7), 0.2, 0.1].map { Foundation.log($0) }
    let count = 20_000
    let sample = ActionSample(
      logits: Array(repeating: logits, count: count).flatMap { $0 }, actions: 3,
      uniforms: (0..<count).map { RandomKey(seed: 9).uniform(UInt64($0)) })
    for (action, share) in [0.7, 0.2, 0.1].enumerated() {
      let drawn = Double(sample.actions.count { $0 == Int32(action) }) / Double(count)
      #expect(abs(drawn - share) < 0.015)
    }
    for (action, logLikelihood) in zip(sample.actions, sample.logLikelihoods).prefix(100) {
      #expect(abs(logLikelihood - logits[Int(action)]) < 1e-5)
    }
  }
}
