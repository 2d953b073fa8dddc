/// What is wrong with a safetensors file, and which file it is.
public struct SafetensorsError: Error, Sendable, Equatable {
  public enum Problem: Sendable, Equatable {
    /// The file cannot be opened or mapped; the reason is the operating system's.
    case unreadable(reason: String)
    /// Fewer bytes than the eight that hold the header's length.
    case tooShort(bytes: Int)
    /// The header's length exceeds the file or the format's limit of 100 MB.
    case headerLength(UInt64, available: Int)
    /// The header is not a JSON object of tensors.
    case header(reason: String)
    case unknownType(tensor: String, type: String)
    /// A negative dimension, or sizes whose product overflows.
    case shape(tensor: String, shape: [Int])
    /// Offsets that are reversed, overlap, leave a hole, or do not fit the shape or the file.
    case offsets(tensor: String, begin: Int, end: Int, reason: String)
    /// Bytes after the last tensor.
    case trailingBytes(Int)
    case missingTensor(String)
    case missingMetadata(String)
    case wrongType(tensor: String, expected: String, found: String)
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    case rows(tensor: String, requested: Range<Int>, available: Int)
  }

  /// The path of the file; empty for a tensor that came from no file.
  public let file: String
  public let problem: Problem

  public init(file: String, problem: Problem) {
    self.file = file
    self.problem = problem
  }
}

extension SafetensorsError: CustomStringConvertible {
  public var description: String {
    file.isEmpty ? problem.description : "\(file): \(problem)"
  }
}

extension SafetensorsError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let reason):
      "cannot be read (\(reason))"
    case .tooShort(let bytes):
      "not a safetensors file: \(bytes) bytes, at least 8 are needed"
    case .headerLength(let length, let available):
      "not a safetensors file or truncated: header of \(length) bytes, \(available) available"
    case .header(let reason):
      "broken safetensors header: \(reason)"
    case .unknownType(let tensor, let type):
      "tensor \(tensor) has element type \(type), which is not supported"
    case .shape(let tensor, let shape):
      "tensor \(tensor) has the impossible shape \(shape)"
    case .offsets(let tensor, let begin, let end, let reason):
      "tensor \(tensor) at bytes \(begin)..<\(end): \(reason)"
    case .trailingBytes(let count):
      "\(count) bytes after the last tensor"
    case .missingTensor(let name):
      "has no tensor \(name)"
    case .missingMetadata(let key):
      "has no metadata \(key)"
    case .wrongType(let tensor, let expected, let found):
      "tensor \(tensor) has elements \(found), expected \(expected)"
    case .wrongShape(let tensor, let expected, let found):
      "tensor \(tensor) has shape \(found), expected \(expected)"
    case .rows(let tensor, let requested, let available):
      "tensor \(tensor) has \(available) rows, rows \(requested) were requested"
    }
  }
}
