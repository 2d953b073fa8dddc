import Autograd
import Foundation
import Safetensors

/// Why a checkpoint cannot be used.
public enum CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  case unreadable(SafetensorsError)
  case unwritable(AtomicFileError)
  /// The file holds no such tensor.
  case missing(file: String, tensor: String)
  case wrongShape(file: String, tensor: String, expected: [Int], found: [Int])
  case missingConfiguration(file: String)
  case badConfiguration(file: String, reason: String)
  case notFinite(file: String, tensor: String)

  public var description: String {
    switch self {
    case .unreadable(let error): "\(error)"
    case .unwritable(let error): "\(error)"
    case .missing(let file, let tensor):
      "\(file): holds no '\(tensor)'; it belongs to another model or version"
    case .wrongShape(let file, let tensor, let expected, let found):
      "\(file): '\(tensor)' is \(found), this model needs \(expected)"
    case .missingConfiguration(let file):
      "\(file): holds no configuration; it was not written by this library"
    case .badConfiguration(let file, let reason): "\(file): its configuration cannot be used: \(reason)"
    case .notFinite(let file, let tensor): "\(file): '\(tensor)' holds values that are not finite"
    }
  }
}

/// Named tensors and a configuration in one safetensors file, written atomically.
///
/// The configuration travels as JSON in the file's metadata, so that the file alone says what it is.
public enum Checkpoint {
  public static func write(
    _ tensors: [String: Tensor], configuration: some Encodable, metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let text: String
    do {
      text = String(decoding: try encoder.encode(configuration), as: UTF8.self)
    } catch {
      throw .badConfiguration(file: url.lastPathComponent, reason: "\(error)")
    }
    let content = SafetensorsContent(
      metadata: metadata.merging(["configuration": text]) { $1 },
      tensors: tensors.mapValues { SafetensorsTensor(shape: $0.shape.dimensions, values: $0.values) })
    do { try content.write(to: url) } catch { throw .unwritable(error) }
  }

  /// The configuration alone.
  public static func configuration<Value: Decodable>(_ type: Value.Type, from url: URL)
    throws(CheckpointError) -> Value
  {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(url) } catch { throw .unreadable(error) }
    guard let text = file.metadata["configuration"] else {
      throw .missingConfiguration(file: url.lastPathComponent)
    }
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch {
      throw .badConfiguration(file: url.lastPathComponent, reason: "\(error)")
    }
  }

  /// A configuration that lies about the size must not cost the memory of a giant before it is found out.
  /// - Parameter values: that a model of this configuration has at least.
  public static func check(_ url: URL, holds values: Int) throws(CheckpointError) {
    let bytes = (try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
    guard bytes / 4 >= values else {
      throw .badConfiguration(
        file: url.lastPathComponent, reason: "it needs \(values) values or more, the file has \(bytes) bytes")
    }
  }

  /// Fills the given tensors from the file; nothing is changed when anything is wrong with it.
  /// - Returns: the file's metadata.
  @discardableResult
  public static func read(
    into tensors: [String: Tensor], from url: URL
  ) throws(CheckpointError) -> [String: String] {
    let file: SafetensorsFile
    do { file = try SafetensorsFile(url) } catch { throw .unreadable(error) }
    return try read(into: tensors, from: file, name: url.lastPathComponent)
  }

  /// The same from a file that some of the tensors may lie in already: of these it is only checked that they are numbers.
  @discardableResult
  static func read(
    into tensors: [String: Tensor], optional: Set<String> = [], from file: SafetensorsFile, name: String
  ) throws(CheckpointError) -> [String: String] {
    var loaded: [(Tensor, [Float])] = []
    do {
      for (key, tensor) in tensors {
        if optional.contains(key), !file.contains(key) { continue }
        guard file.contains(key) else { throw CheckpointError.missing(file: name, tensor: key) }
        let shape = try file.shape(of: key)
        guard shape == tensor.shape.dimensions else {
          throw CheckpointError.wrongShape(
            file: name, tensor: key, expected: tensor.shape.dimensions, found: shape)
        }
        if try file.mutableBytes(of: key).baseAddress == UnsafeMutableRawPointer(tensor.pointer) {
          guard (0..<tensor.count).allSatisfy({ tensor.pointer[$0].isFinite }) else {
            throw CheckpointError.notFinite(file: name, tensor: key)
          }
          continue
        }
        let values = try file.tensor(key).floats()
        guard values.allSatisfy(\.isFinite) else { throw CheckpointError.notFinite(file: name, tensor: key) }
        loaded.append((tensor, values))
      }
    } catch let error as SafetensorsError {
      throw .unreadable(error)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .badConfiguration(file: name, reason: "\(error)")
    }
    for (tensor, values) in loaded {
      values.withUnsafeBufferPointer { source in
        if let start = source.baseAddress { tensor.pointer.update(from: start, count: source.count) }
      }
    }
    return file.metadata
  }
}

extension Parameters {
  /// The parameters by name, as a checkpoint keeps them.
  public var state: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.value) })
  }
}
