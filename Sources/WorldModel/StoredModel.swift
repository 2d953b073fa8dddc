import Autograd
import Foundation
import NeuralNetwork

/// What a ``StoredModel`` is built from.
public protocol StoredConfiguration: Codable, Sendable {
  /// Why nothing can be built from it; nil if something can.
  var problem: String? { get }
  /// Values that the model has at least. Only asked where there is no problem.
  var leastValues: Int { get }
}

/// A small model that is a file of its own in a world's folder.
public protocol StoredModel: AnyObject {
  associatedtype Configuration: StoredConfiguration
  static var file: String { get }
  var configuration: Configuration { get }
  /// What the file keeps.
  var state: [String: Tensor] { get }

  init(_ configuration: Configuration, seed: UInt64) throws(GenieError)
}

extension StoredModel {
  public func save(to folder: URL) throws(GenieError) {
    do {
      try Checkpoint.write(state, configuration: configuration, to: folder.appending(path: Self.file))
    } catch { throw .checkpoint(error) }
  }

  /// - Throws: ``GenieError`` where the file is not there, is damaged, or lies.
  public init(folder: URL) throws(GenieError) {
    let file = folder.appending(path: Self.file)
    let configuration: Configuration
    do throws(CheckpointError) {
      configuration = try Checkpoint.configuration(Configuration.self, from: file)
      if let problem = configuration.problem {
        throw .badConfiguration(file: Self.file, reason: problem)
      }
      try Checkpoint.check(file, holds: configuration.leastValues)
    } catch { throw .checkpoint(error) }
    try self.init(configuration, seed: 0)
    do { try Checkpoint.read(into: state, from: file) } catch { throw .checkpoint(error) }
  }

  /// The model of a folder; nil where it has none.
  public static func found(in folder: URL) throws(GenieError) -> Self? {
    guard FileManager.default.fileExists(atPath: folder.appending(path: file).path) else { return nil }
    return try Self(folder: folder)
  }
}
