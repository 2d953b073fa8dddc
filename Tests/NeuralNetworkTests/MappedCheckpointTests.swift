import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@Suite struct MappedCheckpointTests {
  private func model(_ seed: UInt64, _ stored: StoredValues? = nil) -> (Parameters, Linear) {
    let parameters = Parameters(seed: seed, stored: stored)
    return (parameters, Linear(parameters, "layer", inputs: 3, outputs: 5))
  }

  /// Parameters are made of the file's memory; what is written there stays in this process.
  @Test func parametersLieInTheFile() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.file("model.safetensors")
    let (written, _) = model(1)
    written.shake(seed: 4)
    try Checkpoint.write(written.state, configuration: 1, to: file)
    let bytes = try Data(contentsOf: file)

    let (first, layer) = model(2, try MappedCheckpoint(file))
    let (second, _) = model(3, try MappedCheckpoint(file))
    #expect(first.state.mapValues(\.values) == written.state.mapValues(\.values))
    layer.weight.value[0] = 77
    #expect(first.state["layer.weight"]!.values[0] == 77)
    #expect(second.state.mapValues(\.values) == written.state.mapValues(\.values))
    #expect(try Data(contentsOf: file) == bytes)
    // A model learns from there as from memory of its own.
    let parallel = DataParallel(first, workers: Workers(count: 1))
    let (gradients, _) = parallel.gradients(parts: 1) { _, _, tape in
      let y = layer(tape, tape.constant(Tensor([1, 2, 3], shape: [1, 3])))
      return (tape.squaredError(y, Tensor(shape: [1, 5]), scale: 1), 0)
    }
    Optimizer(first, OptimizerConfiguration()).update(gradients, progress: 0)
    #expect(first.state["layer.weight"]!.values != written.state["layer.weight"]!.values)
    #expect(try Data(contentsOf: file) == bytes)
  }

  @Test func whatIsMissingOrWrongIsAnError() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.file("model.safetensors")
    let other = Parameters(seed: 1)
    _ = Linear(other, "layer", inputs: 3, outputs: 4)
    try Checkpoint.write(other.state, configuration: 1, to: file)
    let mapped = try MappedCheckpoint(file)
    let (parameters, _) = model(2, mapped)
    #expect(throws: CheckpointError.self) { try mapped.read(into: parameters.state) }

    let (written, layer) = model(1)
    layer.weight.value[3] = .nan
    try Checkpoint.write(written.state, configuration: 1, to: file)
    let damaged = try MappedCheckpoint(file)
    let (read, _) = model(2, damaged)
    #expect(throws: CheckpointError.notFinite(file: "model.safetensors", tensor: "layer.weight")) {
      try damaged.read(into: read.state)
    }
    #expect(throws: CheckpointError.self) { try MappedCheckpoint(temporary.file("nothing")) }
  }
}
