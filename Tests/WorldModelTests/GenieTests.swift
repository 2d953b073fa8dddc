import Autograd
import Foundation
import NeuralNetwork
import Safetensors
import TestSupport
import Testing

@testable import WorldModel

@Suite struct GenieConfigurationTests {
  /// What no clip is long enough to show would be new to a model when it is used.
  @Test(arguments: GenieConfiguration.presets.keys.sorted()) func clipsAreAsLongAsModelsLookBack(
    preset: String
  )
    throws
  {
    let model = try #require(GenieConfiguration.presets[preset])
    let (training, fitted) = (TrainingConfiguration(), TrainingConfiguration().fitting(model))
    for (stage, window) in [
      (\TrainingConfiguration.tokenizer, model.tokenizer.window),
      (\.latentActions, model.latentActions.window), (\.dynamics, model.dynamics.window),
    ] {
      let (before, after) = (training[keyPath: stage], fitted[keyPath: stage])
      #expect(after.time == max(before.time, window))
      #expect((1...before.batch).contains(after.batch))
      #expect(after.batch * after.time <= max(before.batch * before.time, after.time))
    }
    #expect(fitted.problem == nil && (preset != "tiny" || fitted == training))
  }

  @Test func presetsHaveNoProblem() throws {
    #expect(GenieConfiguration.presets.count == 5 + PaperModel.ladder.count)
    for (name, preset) in GenieConfiguration.presets {
      #expect(preset.problem == nil, "\(name)")
      let data = try JSONEncoder().encode(preset)
      #expect(try JSONDecoder().decode(GenieConfiguration.self, from: data) == preset)
    }
    #expect(GenieConfiguration.sample().problem == nil)
  }

  @Test func tinyIsAsLargeAsItSays() throws {
    let tiny = try Genie(.tiny, seed: 1)
    let count =
      tiny.tokenizer.parameters.count + tiny.latentActions.parameters.count + tiny.dynamics.parameters.count
    #expect(abs(Double(count) - 1.5e6) < 0.3e6, "\(count) parameters")
  }

  /// Genie, appendix F: tokenizer and latent actions 8 + 8 layers of 512 with 8 heads, dynamics 12 layers of
  /// 512.
  @Test func thePapersCoinRun() {
    let paper = GenieConfiguration.paperCoinRun
    #expect(paper.tokenizer.patches.count == 256 && paper.latentActions.patches.count == 16)
    #expect(paper.tokenizer.codebook.codes == 1024 && paper.tokenizer.codebook.width == 32)
    #expect(paper.latentActions.codebook.codes == 6 && paper.latentActions.motionRadius == 0)
    let (encoder, body) = (
      paper.tokenizer.transformer(blocks: paper.tokenizer.encoderBlocks, positions: true),
      paper.dynamics.transformer
    )
    #expect(
      encoder.blocks == 8 && encoder.attentionWidth == 512 && encoder.tokens == 256 && encoder.window == 16)
    #expect(body.blocks == 12 && body.width == 512 && body.heads == 8 && body.tokens == 256)
    #expect(paper.sampling == SamplingConfiguration(steps: 25, temperature: 1))
  }

  @Test func badValuesAreFound() {
    func expectProblem(
      _ change: (inout GenieConfiguration) -> Void, _ location: SourceLocation = #_sourceLocation
    ) {
      var configuration = GenieConfiguration.sample()
      change(&configuration)
      #expect(configuration.problem != nil, sourceLocation: location)
      #expect(throws: GenieError.self, sourceLocation: location) { try Genie(configuration, seed: 1) }
    }
    for bad in [Int.min, -1, 0, Int.max] {
      expectProblem { $0.tokenizer.height = bad }
      expectProblem { $0.tokenizer.patch = bad }
      expectProblem { $0.tokenizer.channels = bad }
      expectProblem { $0.tokenizer.heads = bad }
      expectProblem { $0.tokenizer.headWidth = bad }
      expectProblem { $0.tokenizer.window = bad }
      expectProblem { $0.tokenizer.codebook.codes = bad }
      expectProblem { $0.tokenizer.codebook.width = bad }
      expectProblem { $0.latentActions.width = bad }
      expectProblem { $0.latentActions.pooling = bad }
      expectProblem { $0.latentActions.patch = bad }
      expectProblem { $0.latentActions.window = bad }
      expectProblem { $0.dynamics.rows = bad }
      expectProblem { $0.dynamics.vocabulary = bad }
      expectProblem { $0.dynamics.actions = bad }
      expectProblem { $0.dynamics.channels = bad }
      expectProblem { $0.dynamics.blocks = bad }
      expectProblem { $0.dynamics.window = bad }
      expectProblem { $0.sampling.steps = bad }
    }
    expectProblem { $0.tokenizer.encoderBlocks = -1 }
    expectProblem { $0.latentActions.decoderBlocks = 1000 }
    expectProblem { $0.latentActions.motionRadius = -1 }
    expectProblem { $0.latentActions.motionRadius = 8 }
    expectProblem { $0.tokenizer.patch = 3 }
    expectProblem { $0.tokenizer.heads = 3 }
    expectProblem { $0.latentActions.patch = 3 }
    expectProblem { $0.latentActions.height = 32 }
    expectProblem { $0.dynamics.columns = 5 }
    expectProblem { $0.dynamics.vocabulary = 13 }
    expectProblem { $0.dynamics.actionWidth = 5 }
    for bad in [Float.nan, -1, .infinity] {
      expectProblem { $0.sampling.temperature = bad }
      expectProblem { $0.sampling.orderNoise = bad }
    }
    // Heads too wide for a thread's stack, and more tokens than their pairs have room for.
    expectProblem { ($0.dynamics.channels, $0.dynamics.heads) = (8192, 1) }
    expectProblem {
      ($0.tokenizer.height, $0.tokenizer.width, $0.tokenizer.patch) = (1024, 1024, 1)
      ($0.latentActions.height, $0.latentActions.width) = (1024, 1024)
      ($0.dynamics.rows, $0.dynamics.columns) = (1024, 1024)
    }
  }
}

@Suite struct GenieFileTests {
  private let folder: TemporaryFolder
  private let genie: Genie
  private let sampling = GenieConfiguration.sample().sampling

  init() throws {
    folder = try TemporaryFolder()
    genie = try Genie.sample()
    genie.tokenizer.quantizer.place(
      centres: genie.tokenizer.quantizer.codebook.values, uses: [Float](repeating: 1, count: 12))
    try genie.save(to: folder.url)
  }

  private func state(_ genie: Genie) -> [[String: [Float]]] {
    [genie.tokenizer.state, genie.latentActions.state, genie.dynamics.state].map { $0.mapValues(\.values) }
  }

  @Test func whatWasSavedIsLoaded() throws {
    let loaded = try Genie(folder: folder.url, sampling: sampling)
    #expect(loaded.configuration == genie.configuration)
    #expect(state(loaded) == state(genie))
    #expect(loaded.tokenizer.quantizer.isPlaced && !loaded.latentActions.quantizer.isPlaced)
    let clip = sampleClip(frames: 3)
    #expect(loaded.tokenizer.encode(clip, arena: Arena()) == genie.tokenizer.encode(clip, arena: Arena()))
  }

  /// Files of before codes were merged say of none that it does the same as another.
  @Test func filesThatAreOlder() throws {
    let url = folder.file(Genie.File.latentActions.rawValue)
    var content = try SafetensorsContent(contentsOf: url)
    #expect(content.tensors.removeValue(forKey: "leaders") != nil)
    try content.write(to: url)
    let loaded = try Genie(folder: folder.url, sampling: sampling)
    #expect(loaded.latentActions.alike == [[0], [1], [2], [3]])
    content.tensors["leaders"] = SafetensorsTensor(shape: [4], values: [-1, 1e9, 2.5, 2] as [Float])
    try content.write(to: url)
    let odd = try Genie(folder: folder.url, sampling: sampling).latentActions
    _ = (odd.actionVectors, odd.infer(sampleClip(frames: 9), arena: Arena()))
  }

  @Test(arguments: Genie.File.allCases) func damagedFiles(file: Genie.File) throws {
    let url = folder.file(file.rawValue)
    let whole = try Data(contentsOf: url)
    for data in [Data(), whole.prefix(100), whole.prefix(whole.count / 2), whole.dropLast(), whole + [1]] {
      try Data(data).write(to: url)
      #expect(throws: GenieError.self) { try Genie(folder: folder.url, sampling: sampling) }
    }
    try FileManager.default.removeItem(at: url)
    #expect(throws: GenieError.self) { try Genie(folder: folder.url, sampling: sampling) }
  }

  /// Rewrites one file's configuration.
  private func rewrite(_ file: Genie.File, _ replace: (String) -> String) throws {
    var content = try SafetensorsContent(contentsOf: folder.file(file.rawValue))
    content.metadata["configuration"] = replace(content.metadata["configuration"]!)
    try content.write(to: folder.file(file.rawValue))
  }

  @Test func modelsThatDoNotBelongTogether() throws {
    var other = GenieConfiguration.sample()
    (other.tokenizer.codebook.codes, other.dynamics.vocabulary) = (13, 13)
    let elsewhere = try TemporaryFolder()
    try Genie(other, seed: 1).save(to: elsewhere.url)
    let name = Genie.File.dynamics.rawValue
    try Data(contentsOf: elsewhere.file(name)).write(to: folder.file(name))
    #expect(throws: GenieError.self) { try Genie(folder: folder.url, sampling: sampling) }
  }

  /// A configuration that lies is found out before memory for it is taken.
  @Test func configurationsThatLie() throws {
    for (from, to) in [
      ("\"channels\":16", "\"channels\":24"), ("\"channels\":16", "\"channels\":8192"),
      ("\"channels\":16", "\"channels\":-16"), ("\"blocks\":2", "\"blocks\":128"),
      ("\"heads\":2", "\"heads\":0"),
      ("\"window\":3", "\"window\":9223372036854775807"), ("\"window\":3", "\"window\":\"x\""),
    ] {
      try genie.save(to: folder.url)
      try rewrite(.dynamics) {
        #expect($0.contains(from))
        return $0.replacingOccurrences(of: from, with: to)
      }
      #expect(throws: GenieError.self, "\(to)") { try Genie(folder: folder.url, sampling: sampling) }
    }
    try genie.save(to: folder.url)
    try rewrite(.dynamics) {
      $0.replacingOccurrences(of: "\"channels\":16", with: "\"channels\":8192")
        .replacingOccurrences(of: "\"heads\":2", with: "\"heads\":128")
        .replacingOccurrences(of: "\"blocks\":2", with: "\"blocks\":128")
    }
    #expect(throws: GenieError.self) { try Genie(folder: folder.url, sampling: sampling) }
  }

  @Test func badSampling() {
    #expect(throws: GenieError.self) {
      try Genie(folder: folder.url, sampling: SamplingConfiguration(steps: 0))
    }
  }

  @Test func savingWhereNoFolderIs() {
    #expect(throws: GenieError.self) { try genie.save(to: folder.file("nowhere/at all")) }
  }
}
