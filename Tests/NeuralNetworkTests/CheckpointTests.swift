import Autograd
import Foundation
import NeuralNetwork
import Safetensors
import TestSupport
import Testing

@Suite struct CheckpointTests {
  private struct Size: Codable, Equatable {
    var width: Int
    var name: String
  }

  private let folder: TemporaryFolder
  private let url: URL
  private let size = Size(width: 3, name: "é \"quoted\"")
  private let tensors = ["a": Tensor.random([2, 3], seed: 1), "b.c": Tensor.random([4], seed: 2)]

  init() throws {
    folder = try TemporaryFolder()
    url = folder.file("model.safetensors")
    try Checkpoint.write(tensors, configuration: size, metadata: ["made by": "a test"], to: url)
  }

  private func empty() -> [String: Tensor] { ["a": Tensor(shape: [2, 3]), "b.c": Tensor(shape: [4])] }

  /// Reading must fail so, and change nothing.
  private func expectFailure(
    _ expected: CheckpointError? = nil, into target: [String: Tensor],
    _ sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for tensor in target.values { tensor.fill(7) }
    do {
      try Checkpoint.read(into: target, from: url)
      Issue.record("it was read", sourceLocation: sourceLocation)
    } catch {
      if let expected { #expect(error == expected, sourceLocation: sourceLocation) }
      #expect(!error.description.isEmpty)
    }
    #expect(target.values.allSatisfy { $0.values.allSatisfy { $0 == 7 } }, sourceLocation: sourceLocation)
  }

  @Test func whatWasWrittenIsRead() throws {
    let target = empty()
    let metadata = try Checkpoint.read(into: target, from: url)
    #expect(target.mapValues(\.values) == tensors.mapValues(\.values))
    #expect(metadata["made by"] == "a test")
    #expect(try Checkpoint.configuration(Size.self, from: url) == size)
    // A part of what is there may be asked for.
    let part = ["a": Tensor(shape: [2, 3])]
    try Checkpoint.read(into: part, from: url)
    #expect(part["a"]!.values == tensors["a"]!.values)
  }

  @Test func missingTensors() {
    expectFailure(
      .missing(file: "model.safetensors", tensor: "d"),
      into: empty().merging(["d": Tensor(shape: [1])]) { $1 })
  }

  @Test func wrongShapes() {
    expectFailure(
      .wrongShape(file: "model.safetensors", tensor: "a", expected: [3, 2], found: [2, 3]),
      into: ["a": Tensor(shape: [3, 2]), "b.c": Tensor(shape: [4])])
  }

  @Test(arguments: [Float.nan, .infinity]) func valuesThatAreNotFinite(value: Float) throws {
    tensors["b.c"]![3] = value
    try Checkpoint.write(tensors, configuration: size, to: url)
    expectFailure(.notFinite(file: "model.safetensors", tensor: "b.c"), into: empty())
  }

  @Test func tensorsOfAnotherType() throws {
    let integers = SafetensorsTensor(type: .i32, shape: [4], bytes: [UInt8](repeating: 0, count: 16))
    let content = SafetensorsContent(tensors: [
      "a": SafetensorsTensor(shape: [2, 3], values: tensors["a"]!.values), "b.c": integers,
    ])
    try content.write(to: url)
    expectFailure(into: empty())
  }

  @Test func damagedFiles() throws {
    let whole = try Data(contentsOf: url)
    for count in [0, 4, 8, 50, whole.count / 2, whole.count - 1] {
      try whole.prefix(count).write(to: url)
      expectFailure(into: empty())
      #expect(throws: CheckpointError.self) { try Checkpoint.configuration(Size.self, from: url) }
    }
    try (whole + [0]).write(to: url)
    expectFailure(into: empty())
    try FileManager.default.removeItem(at: url)
    expectFailure(into: empty())
  }

  @Test func configurationsThatAreMissingOrBad() throws {
    try SafetensorsContent(metadata: [:], tensors: [:]).write(to: url)
    #expect(throws: CheckpointError.missingConfiguration(file: "model.safetensors")) {
      try Checkpoint.configuration(Size.self, from: url)
    }
    for text in ["", "{", "{\"width\": 1e300, \"name\": \"x\"}", "{\"width\": 1}", "[]"] {
      try SafetensorsContent(metadata: ["configuration": text], tensors: [:]).write(to: url)
      #expect(throws: CheckpointError.self) { try Checkpoint.configuration(Size.self, from: url) }
    }
  }

  @Test func whatCannotBeWritten() {
    #expect(throws: CheckpointError.self) {
      try Checkpoint.write(tensors, configuration: size, to: folder.file("no such folder/model.safetensors"))
    }
    #expect(throws: CheckpointError.self) {
      try Checkpoint.write(tensors, configuration: [Double.nan], to: url)
    }
  }
}
