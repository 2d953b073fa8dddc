import Autograd
import Foundation
import NeuralNetwork
import Safetensors
import Testing

/// The same transformer in PyTorch (Fixtures/space_time_transformer.py), forward and backward: within 1e-4 of the
/// largest value of each tensor.
@Suite struct TorchParityTests {
  private let fixture: SafetensorsContent

  init() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    fixture = try SafetensorsContent(
      contentsOf: folder.appending(path: "Fixtures/space_time_transformer.safetensors"))
  }

  private func tensor(_ name: String) throws -> Tensor {
    let stored = try fixture.tensor(name)
    return Tensor(try stored.floats(), shape: Shape(stored.shape))
  }

  private func expectParity(_ actual: [Float], _ expected: [Float], _ name: String) {
    #expect(actual.count == expected.count, "\(name)")
    let largest = expected.map(abs).max()!
    let difference = zip(actual, expected).map { abs($0 - $1) }.max()!
    #expect(difference <= 1e-4 * largest, "\(name): \(difference) of \(largest)")
  }

  /// Channels `range` of every row.
  private func columns(_ tensor: Tensor, _ range: Range<Int>) -> [Float] {
    let width = tensor.shape[-1]
    return (0..<tensor.shape.rows).flatMap { row in range.map { tensor[row * width + $0] } }
  }

  @Test func logitsLossAndEveryGradient() throws {
    let x = try tensor("x")
    let (batch, time, tokens, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let blocks = 2
    let window = try tensor("blocks.0.temporal.bias").shape[1]
    let parameters = Parameters(seed: 1)
    let body = SpaceTimeTransformer(
      parameters, "body",
      SpaceTimeConfiguration(width: width, blocks: blocks, heads: 2, rows: 2, columns: 2, window: window),
      actions: (.film, 2 * width * blocks))
    let head = Linear(parameters, "head", inputs: width, outputs: 7)

    // The fixture's scales and shifts are inputs: an action holds them all, and each block's layer picks its own.
    let actionWidth = 2 * width * blocks
    let actions = Tensor(shape: [batch, time, actionWidth])
    var filmNames: [(name: String, place: Int)] = []
    for block in 0..<blocks {
      for (part, name) in ["scale", "shift"].enumerated() {
        filmNames.append(("blocks.\(block).film.\(name)", (2 * block + part) * width))
      }
    }
    for (name, place) in filmNames {
      let values = try tensor(name)
      for i in 0..<values.count { actions[i / width * actionWidth + place + i % width] = values[i] }
    }
    var trained: [(parameter: Parameter, name: String)] = []
    for parameter in parameters.all {
      if parameter.name.hasPrefix("body.actions.film.") {
        parameter.value.fill(0)
        guard parameter.name.hasSuffix(".weight") else { continue }
        let block = parameter.name.contains("film.0.") ? 0 : 1
        for i in 0..<2 * width { parameter.value[(2 * width * block + i) * 2 * width + i] = 1 }
        continue
      }
      var name = parameter.name.hasPrefix("body.") ? String(parameter.name.dropFirst(5)) : parameter.name
      if fixture.tensors[name] == nil, name.hasSuffix(".weight") { name = String(name.dropLast(7)) }
      let value = try tensor(name)
      try #require(value.shape == parameter.shape, "\(name)")
      parameter.value.copy(from: value)
      trained.append((parameter, name))
    }

    let gradients = Gradients(parameters)
    let tape = Tape(arena: Arena(), gradients: gradients)
    let (frames, film) = (tape.input(x), tape.input(actions))
    let logits = head(tape, body(tape, frames, actions: film))
    let targets = try fixture.tensor("targets").int32s()
    let loss = tape.crossEntropy(logits, targets: targets, scale: 1 / Float(batch * time * tokens)).loss
    expectParity(logits.value.values, try tensor("logits").values, "logits")
    expectParity(loss.value.values, try tensor("loss").values, "loss")
    tape.backward(from: loss)

    var compared: Set<String> = ["x"]
    expectParity(tape.gradient(of: frames)!.values, try tensor("gradients.x").values, "x")
    for (name, place) in filmNames {
      let gradient = columns(tape.gradient(of: film)!, place..<place + width)
      expectParity(gradient, try tensor("gradients." + name).values, name)
      compared.insert(name)
    }
    for (parameter, name) in trained {
      expectParity(gradients.tensor(parameter).values, try tensor("gradients." + name).values, name)
      compared.insert(name)
    }
    // No gradient of the fixture was left out.
    #expect(
      compared
        == Set(fixture.tensors.keys.filter { $0.hasPrefix("gradients.") }.map { String($0.dropFirst(10)) }))
  }
}
