import Foundation
import NeuralNetwork

/// A trained ``ActorCritic`` in one file, `NAME.policy.safetensors`, that says what it is.
public struct PolicyFile: Sendable {
  /// What is written beside the weights.
  public struct Record: Codable, Sendable, Equatable {
    public var network: ActorCriticConfiguration
    /// The environment or world that it was trained in.
    public var environment: String
    /// Environment steps that it was trained for.
    public var steps: Int
    public var seed: UInt64

    public init(network: ActorCriticConfiguration, environment: String, steps: Int, seed: UInt64) {
      self.network = network
      self.environment = environment
      self.steps = steps
      self.seed = seed
    }
  }

  /// What the file's name ends with.
  public static let suffix = ".policy.safetensors"
  private static let format = "genie-policy-1"

  public let record: Record
  public let network: ActorCritic

  public init(_ network: ActorCritic, environment: String, steps: Int, seed: UInt64) {
    self.network = network
    record = Record(
      network: network.configuration, environment: environment, steps: steps, seed: seed)
  }

  /// - Throws: ``PolicyError/checkpoint(_:)`` or ``PolicyError/unusable(reason:)``
  public init(contentsOf url: URL) throws(PolicyError) {
    do {
      record = try Checkpoint.configuration(Record.self, from: url)
    } catch { throw .checkpoint(error) }
    network = try ActorCritic(record.network, seed: 0)
    let metadata: [String: String]
    do {
      metadata = try Checkpoint.read(into: network.parameters.state, from: url)
    } catch { throw .checkpoint(error) }
    guard metadata["format"] == Self.format else {
      throw .unusable(reason: "its format is '\(metadata["format"] ?? "unknown")', not '\(Self.format)'")
    }
  }

  /// - Throws: ``PolicyError/checkpoint(_:)``
  public func write(to url: URL) throws(PolicyError) {
    do {
      try Checkpoint.write(
        network.parameters.state, configuration: record, metadata: ["format": Self.format], to: url)
    } catch { throw .checkpoint(error) }
  }
}
