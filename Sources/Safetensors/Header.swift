import Foundation

/// The parsed and wholly validated header of a safetensors file.
struct Header {
  struct Entry: Sendable {
    let type: ElementType
    let shape: [Int]
    /// Bytes of the tensor, counted from the start of the file.
    let range: Range<Int>
  }

  let metadata: [String: String]
  let entries: [String: Entry]

  // The Python package's limit.
  private static let maximumLength: UInt64 = 100_000_000

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - file: its path, for errors.
  init(of bytes: UnsafeRawBufferPointer, file: String) throws(SafetensorsError) {
    func fail(_ problem: SafetensorsError.Problem) -> SafetensorsError {
      SafetensorsError(file: file, problem: problem)
    }
    guard bytes.count >= 8 else { throw fail(.tooShort(bytes: bytes.count)) }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Self.maximumLength, length <= UInt64(bytes.count - 8) else {
      throw fail(.headerLength(length, available: bytes.count - 8))
    }
    let start = 8 + Int(length)
    let text = Data(bytes[8..<start])
    guard text.first == UInt8(ascii: "{") else { throw fail(.header(reason: "does not begin with {")) }
    // A zero byte would make the decoder take the text for UTF-16.
    guard !text.contains(0), String(validating: text, as: UTF8.self) != nil else {
      throw fail(.header(reason: "not UTF-8"))
    }
    let raw: RawHeader
    do {
      raw = try JSONDecoder().decode(RawHeader.self, from: text)
    } catch {
      throw fail(.header(reason: Self.reason(error)))
    }
    self.metadata = raw.metadata

    var entries: [String: Entry] = [:]
    var position = 0
    let available = bytes.count - start
    for (name, tensor) in raw.tensors.sorted(by: { $0.value.order($0.key) < $1.value.order($1.key) }) {
      guard let type = ElementType(rawValue: tensor.dtype) else {
        throw fail(.unknownType(tensor: name, type: tensor.dtype))
      }
      guard tensor.offsets.count == 2 else {
        throw fail(.header(reason: "tensor \(name) has \(tensor.offsets.count) offsets, not 2"))
      }
      let (begin, end) = (tensor.offsets[0], tensor.offsets[1])
      guard let size = byteCount(shape: tensor.shape, type: type) else {
        throw fail(.shape(tensor: name, shape: tensor.shape))
      }
      func misplaced(_ reason: String) -> SafetensorsError {
        fail(.offsets(tensor: name, begin: begin, end: end, reason: reason))
      }
      guard begin >= 0, end >= begin else { throw misplaced("negative or reversed offsets") }
      guard end <= available else {
        throw misplaced("beyond the end of the file (\(available) bytes of data)")
      }
      guard end - begin == size else {
        throw misplaced("shape \(tensor.shape) of \(type.rawValue) needs \(size) bytes")
      }
      guard begin == position else {
        throw misplaced(begin < position ? "overlaps another tensor" : "leaves a hole before it")
      }
      position = end
      entries[name] = Entry(type: type, shape: tensor.shape, range: start + begin..<start + end)
    }
    guard position == available else { throw fail(.trailingBytes(available - position)) }
    self.entries = entries
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
      DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    default:
      return "not JSON"
    }
  }
}

/// The bytes that a tensor occupies, or nil where a dimension is negative or the product overflows.
private func byteCount(shape: [Int], type: ElementType) -> Int? {
  var size = type.size
  for dimension in shape {
    let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
    guard dimension >= 0, !overflow else { return nil }
    size = product
  }
  return size
}

/// The header as JSON has it, nothing checked but the types.
private struct RawHeader: Decodable {
  struct Tensor: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    private enum CodingKeys: String, CodingKey {
      case dtype
      case shape
      case offsets = "data_offsets"
    }

    /// Sorts tensors as they lie in the file; empty ones before the full one at the same place.
    func order(_ name: String) -> (Int, Int, String) {
      (offsets.first ?? 0, offsets.last ?? 0, name)
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var metadata: [String: String] = [:]
  var tensors: [String: Tensor] = [:]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if key.stringValue == "__metadata__" {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        tensors[key.stringValue] = try container.decode(Tensor.self, forKey: key)
      }
    }
  }
}
