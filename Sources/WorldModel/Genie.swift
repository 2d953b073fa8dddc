import Autograd
import Foundation
import NeuralNetwork

/// The three models of a Genie, and how frames are sampled.
public struct GenieConfiguration: Codable, Sendable, Equatable {
  public var tokenizer: TokenizerConfiguration
  public var latentActions: LatentActionConfiguration
  public var dynamics: DynamicsConfiguration
  public var sampling: SamplingConfiguration

  public init(
    tokenizer: TokenizerConfiguration, latentActions: LatentActionConfiguration,
    dynamics: DynamicsConfiguration,
    sampling: SamplingConfiguration
  ) {
    self.tokenizer = tokenizer
    self.latentActions = latentActions
    self.dynamics = dynamics
    self.sampling = sampling
  }

  /// Why the three do not fit together or cannot be built; nil where they can. A configuration that comes from a
  /// file is asked before anything is built from it.
  public var problem: String? {
    func bad(_ value: Int, _ range: ClosedRange<Int>, _ name: String) -> String? {
      range.contains(value) ? nil : "\(name) is \(value), outside \(range)"
    }
    let (t, l, d) = (tokenizer, latentActions, dynamics)
    let ranges: [(Int, ClosedRange<Int>, String)] = [
      (t.height, 4...1024, "tokenizer.height"), (t.width, 4...1024, "tokenizer.width"),
      (t.patch, 1...64, "tokenizer.patch"), (t.channels, 1...8192, "tokenizer.channels"),
      (t.heads, 1...128, "tokenizer.heads"), (t.headWidth ?? 8, 1...512, "tokenizer.headWidth"),
      (t.encoderBlocks, 0...64, "tokenizer.encoderBlocks"),
      (t.decoderBlocks, 0...64, "tokenizer.decoderBlocks"),
      (t.window, 1...256, "tokenizer.window"), (t.codebook.codes, 2...65536, "tokenizer.codebook.codes"),
      (t.codebook.width, 1...1024, "tokenizer.codebook.width"),
      (l.pooling, 1...64, "latentActions.pooling"), (l.patch, 1...64, "latentActions.patch"),
      (l.channels, 1...8192, "latentActions.channels"), (l.heads, 1...128, "latentActions.heads"),
      (l.headWidth ?? 8, 1...512, "latentActions.headWidth"),
      (l.encoderBlocks, 0...64, "latentActions.encoderBlocks"),
      (l.decoderBlocks, 0...64, "latentActions.decoderBlocks"),
      (l.window, 1...256, "latentActions.window"), (l.motionRadius, 0...8, "latentActions.motionRadius"),
      (l.codebook.codes, 2...256, "latentActions.codebook.codes"),
      (l.codebook.width, 1...1024, "latentActions.codebook.width"),
      (d.channels, 1...8192, "dynamics.channels"), (d.blocks, 1...128, "dynamics.blocks"),
      (d.heads, 1...128, "dynamics.heads"), (d.headWidth ?? 8, 1...512, "dynamics.headWidth"),
      (d.window, 1...256, "dynamics.window"), (sampling.steps, 1...256, "sampling.steps"),
      (sampling.pilots, 0...256, "sampling.pilots"),
    ]
    for (value, range, name) in ranges { if let problem = bad(value, range, name) { return problem } }
    if t.height % t.patch != 0 || t.width % t.patch != 0 {
      return "patches of \(t.patch) in \(t.height) x \(t.width)"
    }
    if l.height != t.height || l.width != t.width {
      return "tokenizer and latent actions see frames of two sizes"
    }
    if let width = l.tokenWidth, width != t.codebook.width || l.pooling != 1 || l.patch != t.patch {
      return
        "latent actions that see tokens of \(width) channels, pooled by \(l.pooling), in patches of \(l.patch): the "
        + "tokenizer's have \(t.codebook.width) and patches of \(t.patch)"
    }
    if l.height % (l.pooling * l.patch) != 0 || l.width % (l.pooling * l.patch) != 0 {
      return "latent actions: patches of \(l.patch) in frames pooled by \(l.pooling)"
    }
    if l.motionRadius >= min(l.height, l.width) / l.pooling {
      return "latent actions: displacements of \(l.motionRadius) in frames pooled by \(l.pooling)"
    }
    for (name, channels, heads, own) in [
      ("tokenizer", t.channels, t.heads, t.headWidth), ("latentActions", l.channels, l.heads, l.headWidth),
      ("dynamics", d.channels, d.heads, d.headWidth),
    ] {
      if own == nil && channels % heads != 0 { return "\(name): \(heads) heads in \(channels) channels" }
      if let problem = bad(own ?? channels / heads, 1...512, "\(name): channels of a head") { return problem }
    }
    for (name, patches) in [("tokenizer", t.patches), ("latentActions", l.patches)] {
      if let problem = bad(patches.count, 1...4096, "\(name): tokens of a frame") { return problem }
    }
    if d.rows != t.height / t.patch || d.columns != t.width / t.patch {
      return "dynamics has another grid of tokens"
    }
    if d.vocabulary != t.codebook.codes {
      return "dynamics has \(d.vocabulary) codes, the tokenizer \(t.codebook.codes)"
    }
    if d.actions != l.codebook.codes || d.actionWidth != l.codebook.width {
      return "dynamics has other latent actions"
    }
    if let problem = bad(d.ages, 0...24, "dynamics: channels of ages") { return problem }
    if let problem = bad(d.neighbourhood, 0...3, "dynamics: tokens told to each side") { return problem }
    // What is made for each world and each pair of tokens, out of tables that are far smaller.
    let room = max(1 << 30, 16 * (t.parameterCount + l.parameterCount + d.parameterCount))
    for (bytes, name) in [
      (worldBytes(precision: .float32), "the past of a world"), (biasBytes, "attention biases"),
    ]
    where bytes > room {
      return "\(name) would take \(bytes >> 20) MiB"
    }
    if !(sampling.temperature >= 0 && sampling.temperature <= 100) {
      return "sampling.temperature \(sampling.temperature)"
    }
    if !(sampling.leastShare >= 0 && sampling.leastShare <= 1) {
      return "sampling.leastShare \(sampling.leastShare)"
    }
    if !(sampling.leastOdds >= 0 && sampling.leastOdds <= 1) {
      return "sampling.leastOdds \(sampling.leastOdds)"
    }
    if !(sampling.orderNoise >= 0 && sampling.orderNoise <= 1000) {
      return "sampling.orderNoise \(sampling.orderNoise)"
    }
    return nil
  }
}

/// Why a Genie cannot be built or used.
public enum GenieError: Error, Sendable, Equatable, CustomStringConvertible {
  case badConfiguration(String)
  case checkpoint(CheckpointError)

  public var description: String {
    switch self {
    case .badConfiguration(let reason): "the configuration cannot be used: \(reason)"
    case .checkpoint(let error): "\(error)"
    }
  }
}

/// A tokenizer, a latent action model and a dynamics model that belong together.
public final class Genie: Sendable {
  public let configuration: GenieConfiguration
  public let tokenizer: Tokenizer
  public let latentActions: LatentActionModel
  public let dynamics: Dynamics

  public convenience init(_ configuration: GenieConfiguration, seed: UInt64) throws(GenieError) {
    try self.init(configuration, seed: seed, stored: (nil, nil, nil))
  }

  private typealias Stored = (
    tokenizer: MappedCheckpoint?, latentActions: MappedCheckpoint?, dynamics: MappedCheckpoint?
  )

  private init(_ configuration: GenieConfiguration, seed: UInt64, stored: Stored) throws(GenieError) {
    if let problem = configuration.problem { throw .badConfiguration(problem) }
    self.configuration = configuration
    tokenizer = Tokenizer(configuration.tokenizer, seed: seed, stored: stored.tokenizer)
    latentActions = LatentActionModel(
      configuration.latentActions, seed: seed &+ 1,
      tokenizer: configuration.latentActions.tokenWidth == nil ? nil : tokenizer,
      stored: stored.latentActions)
    dynamics = Dynamics(configuration.dynamics, seed: seed &+ 2, stored: stored.dynamics)
  }

  /// The models' files in a world's folder.
  public enum File: String, CaseIterable, Sendable {
    case tokenizer = "tokenizer.safetensors"
    case latentActions = "latent_actions.safetensors"
    case dynamics = "dynamics.safetensors"
  }

  public func save(to folder: URL) throws(GenieError) {
    do {
      try Checkpoint.write(
        tokenizer.state, configuration: configuration.tokenizer,
        to: folder.appending(path: File.tokenizer.rawValue))
      try Checkpoint.write(
        latentActions.state, configuration: configuration.latentActions,
        to: folder.appending(path: File.latentActions.rawValue))
      try Checkpoint.write(
        dynamics.state, configuration: configuration.dynamics,
        to: folder.appending(path: File.dynamics.rawValue))
    } catch { throw .checkpoint(error) }
  }

  /// Opens the models that ``save(to:)`` wrote. Their parameters stay where they are, in the files: processes that have opened
  /// the same share one copy of them.
  /// - Parameter sampling: how frames are sampled; it is no part of the models' files.
  public convenience init(folder: URL, sampling: SamplingConfiguration) throws(GenieError) {
    do throws(CheckpointError) {
      let tokenizer = folder.appending(path: File.tokenizer.rawValue)
      let latentActions = folder.appending(path: File.latentActions.rawValue)
      let dynamics = folder.appending(path: File.dynamics.rawValue)
      let configuration = GenieConfiguration(
        tokenizer: try Checkpoint.configuration(TokenizerConfiguration.self, from: tokenizer),
        latentActions: try Checkpoint.configuration(LatentActionConfiguration.self, from: latentActions),
        dynamics: try Checkpoint.configuration(DynamicsConfiguration.self, from: dynamics), sampling: sampling
      )
      if let problem = configuration.problem {
        throw CheckpointError.badConfiguration(file: folder.lastPathComponent, reason: problem)
      }
      try Checkpoint.check(tokenizer, holds: configuration.tokenizer.parameterCount)
      try Checkpoint.check(latentActions, holds: configuration.latentActions.parameterCount)
      try Checkpoint.check(dynamics, holds: configuration.dynamics.parameterCount)
      let stored = (
        tokenizer: try MappedCheckpoint(tokenizer), latentActions: try MappedCheckpoint(latentActions),
        dynamics: try MappedCheckpoint(dynamics)
      )
      do {
        try self.init(
          configuration, seed: 0, stored: (stored.tokenizer, stored.latentActions, stored.dynamics))
      } catch {
        throw CheckpointError.badConfiguration(file: folder.lastPathComponent, reason: "\(error)")
      }
      try stored.tokenizer.read(into: self.tokenizer.state)
      try stored.latentActions.read(
        into: self.latentActions.state, optional: [LatentActionModel.leadersName])
      try stored.dynamics.read(into: self.dynamics.state)
    } catch { throw .checkpoint(error) }
  }
}
