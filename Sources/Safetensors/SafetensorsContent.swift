import Foundation

/// What a safetensors file holds, in memory: named tensors and a dictionary of strings.
public struct SafetensorsContent: Sendable, Equatable {
  public var metadata: [String: String]
  public var tensors: [String: SafetensorsTensor]

  public init(metadata: [String: String] = [:], tensors: [String: SafetensorsTensor] = [:]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// Reads a whole file.
  /// - Throws: ``SafetensorsError``
  public init(contentsOf url: URL) throws(SafetensorsError) {
    self = try SafetensorsFile(url).content()
  }

  /// The tensor of that name.
  /// - Throws: ``SafetensorsError`` if there is none.
  public func tensor(_ name: String) throws(SafetensorsError) -> SafetensorsTensor {
    guard let tensor = tensors[name] else {
      throw SafetensorsError(file: "", problem: .missingTensor(name))
    }
    return tensor
  }

  /// Writes the file atomically: it is there whole or not at all, and an older one stays until then.
  ///
  /// Equal contents give equal bytes: tensors lie by falling element size and then by name, as the Python
  /// package writes them, metadata sorted by key.
  /// - Throws: ``AtomicFileError``
  public func write(to url: URL) throws(AtomicFileError) {
    let (header, order) = layout()
    try AtomicFile.write(to: url) { output throws(AtomicFileError) in
      try output.write(header)
      for name in order { try output.write(tensors[name]!.bytes) }
    }
  }

  /// The length field and the padded JSON, and the order in which the tensors' bytes follow.
  private func layout() -> (header: [UInt8], order: [String]) {
    precondition(tensors["__metadata__"] == nil, "__metadata__ is not a tensor's name")
    let order = tensors.sorted {
      ($1.value.type.rank, $0.key) < ($0.value.type.rank, $1.key)
    }.map(\.key)
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(json($0.key)):\(json($0.value))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var position = 0
    for name in order {
      let tensor = tensors[name]!
      let end = position + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(json(name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(position),\(end)]}")
      position = end
    }
    var text = Array("{\(fields.joined(separator: ","))}".utf8)
    // The data begins at a multiple of 8.
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) }
    return (length + text, order)
  }
}

/// A JSON string literal.
private func json(_ string: String) -> String {
  var text = "\""
  for scalar in string.unicodeScalars {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    case "\r": text += "\\r"
    case "\t": text += "\\t"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text + "\""
}
