import NeuralNetwork

/// A world's past as bytes, for snapshots: the newest frame's tokens, then both caches as they are. (With a
/// sliding window, a past that is rebuilt from its last frames would not be the same.)
extension WorldState {
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    func append<Element: BitwiseCopyable>(_ values: [Element]) {
      values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    append([Int64(dynamics.frames), Int64(decoder.frames)])
    append(tokens)
    append(dynamics.values)
    append(decoder.values)
    return bytes
  }

  /// Takes over what ``encoded()`` gave for a state of the same model.
  /// - Parameter vocabulary: tokens are below it.
  /// - Returns: false, and nothing is changed, where the bytes are not such a state.
  public mutating func decode(_ bytes: [UInt8], vocabulary: Int) -> Bool {
    let floats = dynamics.valueCount + decoder.valueCount
    guard bytes.count == 16 + 4 * tokens.count + 4 * floats else { return false }
    func read<Element: BitwiseCopyable>(_ type: Element.Type, at offset: Int, _ count: Int) -> [Element] {
      bytes.withUnsafeBytes { bytes in
        (0..<count).map {
          bytes.loadUnaligned(fromByteOffset: offset + $0 * MemoryLayout<Element>.size, as: type)
        }
      }
    }
    let frames = read(Int64.self, at: 0, 2)
    let newest = read(Int32.self, at: 16, tokens.count)
    let values = read(Float.self, at: 16 + 4 * tokens.count, floats)
    guard frames.allSatisfy({ (0...Int64(Int32.max)).contains($0) }), values.allSatisfy(\.isFinite),
      newest.allSatisfy({ (0..<Int32(vocabulary)).contains($0) })
    else { return false }
    dynamics.restore(Array(values[..<dynamics.valueCount]), frames: Int(frames[0]))
    decoder.restore(Array(values[dynamics.valueCount...]), frames: Int(frames[1]))
    tokens = newest
    return true
  }
}
