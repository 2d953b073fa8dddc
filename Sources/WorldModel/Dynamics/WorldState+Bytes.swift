import NeuralNetwork

/// A world's past as bytes, for snapshots: the newest frame's tokens, then both caches as they are. (With a sliding window, a
/// past that is rebuilt from its last frames would not be the same.)
extension WorldState {
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24 + 4 * tokens.count + byteCount)
    for number in [dynamics.frames, decoder.frames, knowsAge ? 1 : 0] {
      withUnsafeBytes(of: Int64(number)) { bytes.append(contentsOf: $0) }
    }
    tokens.withUnsafeBytes { bytes.append(contentsOf: $0) }
    dynamics.append(to: &bytes)
    decoder.append(to: &bytes)
    return bytes
  }

  /// Takes over what ``encoded()`` gave for a state of the same model and precision. Any bits are numbers: what was never a
  /// world's past gives nonsense, and no more than that.
  /// - Parameter vocabulary: tokens are below it.
  /// - Returns: false, and nothing is changed, where the bytes are not such a state.
  public mutating func decode(_ bytes: [UInt8], vocabulary: Int) -> Bool {
    let caches = 24 + 4 * tokens.count
    guard bytes.count == caches + byteCount else { return false }
    func read<Element: BitwiseCopyable>(_ type: Element.Type, at offset: Int, _ count: Int) -> [Element] {
      bytes.withUnsafeBytes { bytes in
        (0..<count).map {
          bytes.loadUnaligned(fromByteOffset: offset + $0 * MemoryLayout<Element>.size, as: type)
        }
      }
    }
    let frames = read(Int64.self, at: 0, 2)
    let aged = read(Int64.self, at: 16, 1)[0]
    let newest = read(Int32.self, at: 24, tokens.count)
    guard frames.allSatisfy({ (0...Int64(Int32.max)).contains($0) }), (0...1).contains(aged),
      newest.allSatisfy({ (0..<Int32(vocabulary)).contains($0) })
    else { return false }
    dynamics.restore(bytes[caches..<caches + dynamics.byteCount], frames: Int(frames[0]))
    decoder.restore(bytes[(caches + dynamics.byteCount)...], frames: Int(frames[1]))
    tokens = newest
    knowsAge = aged == 1
    return true
  }
}
