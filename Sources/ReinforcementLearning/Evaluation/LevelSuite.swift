import Environments
import Foundation
import NeuralNetwork
import Safetensors

/// Levels to judge policies on, fixed once and named: whoever reports a figure on a suite says its hash, and another can
/// play the very same episodes.
///
/// A level is a level of a game, by its number, or a frame that a world starts from. One file holds it all,
/// `NAME.suite.safetensors`.
public struct LevelSuite: Sendable, Equatable {
  /// Which side of an experiment a suite is for; no level is on both.
  public enum Split: String, Codable, Sendable, CaseIterable { case train, test }

  /// Where its levels come from.
  public enum Origin: String, Codable, Sendable {
    /// Numbers of a game's generator.
    case numbers
    /// Frames that a world keeps and was not trained on.
    case heldOutFrames = "held-out frames"
    /// Somebody's pictures.
    case pictures
    /// First frames that a world dreamt from nothing.
    case dreamt
  }

  /// All but the frames.
  public struct Record: Codable, Sendable, Equatable {
    public var name: String
    public var version: Int
    public var split: Split
    /// The environment's name.
    public var environment: String
    public var origin: Origin
    /// Numbers of levels; empty where levels are frames.
    public var levels: [Int]
    /// Each level is played once with each of these.
    public var seeds: [UInt64]
    /// Steps after which an episode is cut; nil leaves the environment's own.
    public var horizon: Int?
    public var success: SuccessRule?
    /// The return from which on more is not better, for the optimality gap; nil where nobody knows.
    public var optimum: Double?

    public init(
      name: String, version: Int = 1, split: Split, environment: String, origin: Origin, levels: [Int] = [],
      seeds: [UInt64], horizon: Int? = nil, success: SuccessRule? = nil, optimum: Double? = nil
    ) {
      self.name = name
      self.version = version
      self.split = split
      self.environment = environment
      self.origin = origin
      self.levels = levels
      self.seeds = seeds
      self.horizon = horizon
      self.success = success
      self.optimum = optimum
    }
  }

  public static let suffix = ".suite.safetensors"
  private static let format = "genie-suite-1"

  public let record: Record
  /// A frame a level; empty where levels are numbers.
  public let frames: [Prompt]

  /// - Throws: ``LevelSuiteError/empty(_:)``
  public init(_ record: Record, frames: [Prompt] = []) throws(LevelSuiteError) {
    guard !record.seeds.isEmpty, !(record.levels.isEmpty && frames.isEmpty) else {
      throw .empty(record.name)
    }
    self.record = record
    self.frames = frames
  }

  /// How many levels there are.
  public var count: Int { frames.isEmpty ? record.levels.count : frames.count }

  /// The episodes: every level with every seed, level by level.
  public var starts: [Evaluation.Start] {
    (0..<count).flatMap { index in
      record.seeds.map { seed in
        frames.isEmpty
          ? Evaluation.Start(seed: seed &+ UInt64(index) &* 1_000_003, level: record.levels[index])
          : Evaluation.Start(seed: seed &+ UInt64(index) &* 1_000_003, prompt: frames[index])
      }
    }
  }

  public var evaluation: Evaluation {
    Evaluation(starts: starts, horizon: record.horizon, success: record.success)
  }

  /// Names each episode's level by its place in the suite, so that the seeds of a level form a stratum.
  public func placed(_ results: [EpisodeResult]) -> [EpisodeResult] {
    results.enumerated().map { index, result in
      var result = result
      result.level = index / record.seeds.count
      return result
    }
  }

  /// Of everything that decides its episodes.
  public var hash: String {
    var hash = ContentHash(Self.encoded(record))
    for frame in frames { hash.add(frame.pixels) }
    return hash.description
  }

  /// Levels that are in both.
  public func shared(with other: LevelSuite) -> Int {
    let own = Set(record.levels)
    let frames = Set(frames)
    return other.record.levels.count { own.contains($0) } + other.frames.count { frames.contains($0) }
  }

  private static func encoded(_ record: Record) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(record) else { preconditionFailure("every record can be encoded") }
    return data
  }
}

extension LevelSuite {
  /// - Throws: ``LevelSuiteError``
  public init(contentsOf url: URL) throws(LevelSuiteError) {
    let file = url.lastPathComponent
    do {
      let content = try SafetensorsContent(contentsOf: url)
      guard content.metadata["format"] == Self.format, let text = content.metadata["suite"],
        let record = try? JSONDecoder().decode(Record.self, from: Data(text.utf8))
      else { throw LevelSuiteError.notASuite(file) }
      var frames: [Prompt] = []
      if let tensor = content.tensors["frames"] {
        guard tensor.type == .u8, tensor.shape.count == 4, tensor.shape[3] == 3,
          tensor.shape.allSatisfy({ $0 > 0 })
        else { throw LevelSuiteError.notASuite(file) }
        let (height, width) = (tensor.shape[1], tensor.shape[2])
        let size = height * width * 3
        frames = (0..<tensor.shape[0]).map {
          Prompt(height: height, width: width, pixels: Array(tensor.bytes[$0 * size..<($0 + 1) * size]))
        }
      }
      try self.init(record, frames: frames)
      guard hash == content.metadata["hash"] else { throw LevelSuiteError.damaged(file) }
    } catch let error as SafetensorsError {
      throw .unreadable(error)
    } catch let error as LevelSuiteError {
      throw error
    } catch { preconditionFailure("no other error is thrown here: \(error)") }
  }

  /// Writes the suite, whole or not at all.
  public func write(to url: URL) throws(AtomicFileError) {
    var content = SafetensorsContent(metadata: [
      "format": Self.format, "suite": String(decoding: Self.encoded(record), as: UTF8.self), "hash": hash,
    ])
    if let first = frames.first {
      content.tensors["frames"] = SafetensorsTensor(
        shape: [frames.count, first.height, first.width, 3], values: frames.flatMap(\.pixels))
    }
    try content.write(to: url)
  }
}

/// Why a suite cannot be used.
public enum LevelSuiteError: Error, Sendable, Equatable, CustomStringConvertible {
  case unreadable(SafetensorsError)
  case notASuite(String)
  /// Its content is not what its hash says.
  case damaged(String)
  case empty(String)

  public var description: String {
    switch self {
    case .unreadable(let error): "\(error)"
    case .notASuite(let file): "\(file) is no level suite; 'genie suite' makes one"
    case .damaged(let file): "\(file) was changed after it was made: its hash differs"
    case .empty(let name): "the suite '\(name)' has no level or no seed"
    }
  }
}
