import Autograd
import Foundation
import NeuralNetwork

/// What a frame critic is built from.
public struct FrameCriticConfiguration: Codable, Sendable, Equatable {
  public var rows: Int
  public var columns: Int
  public var vocabulary: Int
  /// Channels of a token, and filters of the convolutions.
  public var channels: Int
  public var filters: Int

  public init(
    rows: Int, columns: Int, vocabulary: Int, channels: Int = 32, filters: Int = 128
  ) {
    self.rows = rows
    self.columns = columns
    self.vocabulary = vocabulary
    self.channels = channels
    self.filters = filters
  }

  var problem: String? {
    guard (1...256).contains(rows), (1...256).contains(columns) else {
      return "a grid of \(rows) x \(columns)"
    }
    guard (2...65536).contains(vocabulary) else { return "\(vocabulary) codes" }
    guard (1...1024).contains(channels), (1...4096).contains(filters) else {
      return "\(channels), \(filters) channels"
    }
    return nil
  }
}

/// Tells frames that could be of the video from frames that only a dream shows, so that these can be drawn anew (discriminator
/// rejection sampling, arXiv 1810.06758). It sees the tokens of one frame, and knows nothing of what they show.
public final class FrameCritic: Sendable {
  public let configuration: FrameCriticConfiguration
  public let parameters: Parameters
  private let network: TransitionNetwork

  public init(_ configuration: FrameCriticConfiguration, seed: UInt64) throws(GenieError) {
    if let problem = configuration.problem { throw .badConfiguration(problem) }
    self.configuration = configuration
    parameters = Parameters(seed: seed)
    network = TransitionNetwork(
      parameters, grid: (configuration.rows, configuration.columns), vocabulary: configuration.vocabulary,
      channels: configuration.channels, filters: configuration.filters, outputs: 2)
  }

  /// As ``TransitionNetwork/ground(_:key:)``.
  func ground(_ codes: Tensor, key: RandomKey) { network.ground(codes, key: key) }

  /// - Parameter tokens: `[frames, tokens]`.
  /// - Returns: `[frames, 2]`: logits of a frame of the video, and of a dream's.
  func logits(_ tape: Tape, _ tokens: [Int32]) -> Variable { network(tape, previous: tokens, tokens: tokens) }

  /// How much more likely a frame is in dreams than in the video: the log of the odds.
  /// - Parameters:
  ///   - tokens: `[tokens]`.
  ///   - tape: room to compute in; emptied by the caller.
  public func unreality(_ tokens: [Int32], tape: Tape) -> Float {
    let logits = logits(tape, tokens).value
    return logits[1] - logits[0]
  }

  public static let file = "critic.safetensors"

  public func save(to folder: URL) throws(GenieError) {
    do {
      try Checkpoint.write(
        parameters.state, configuration: configuration, to: folder.appending(path: Self.file))
    } catch { throw .checkpoint(error) }
  }

  public convenience init(folder: URL) throws(GenieError) {
    let file = folder.appending(path: Self.file)
    let configuration: FrameCriticConfiguration
    do { configuration = try Checkpoint.configuration(FrameCriticConfiguration.self, from: file) } catch {
      throw .checkpoint(error)
    }
    try self.init(configuration, seed: 0)
    do { try Checkpoint.read(into: parameters.state, from: file) } catch { throw .checkpoint(error) }
  }
}
