/// A random order of `0..<count` that needs no memory: any place of it is computed by itself, so that a
/// shuffled data set can be resumed anywhere.
///
/// A Feistel network permutes the next power of four; places outside of the range walk on until they are
/// inside.
struct Permutation {
  let count: Int
  private let seed: UInt64
  private let halfBits: UInt64

  init(count: Int, seed: UInt64) {
    precondition(count > 0, "a permutation of nothing")
    self.count = count
    self.seed = seed
    var bits: UInt64 = 1
    while count > 1 << (2 * bits) { bits += 1 }
    halfBits = bits
  }

  /// The element at a place in `0..<count`.
  subscript(place: Int) -> Int {
    precondition(place >= 0 && place < count, "place \(place) of \(count)")
    var value = UInt64(place)
    repeat { value = permuted(value) } while value >= UInt64(count)
    return Int(value)
  }

  private func permuted(_ value: UInt64) -> UInt64 {
    let mask: UInt64 = (1 << halfBits) - 1
    var (left, right) = (value >> halfBits, value & mask)
    for round: UInt64 in 0..<6 {
      (left, right) = (right, left ^ mixed(seed, round << 60 | right) & mask)
    }
    return left << halfBits | right
  }
}

/// Two numbers hashed to 64 well mixed bits (SplitMix64's finalizer, twice).
func mixed(_ first: UInt64, _ second: UInt64) -> UInt64 {
  func finalized(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
  return finalized(finalized(first) ^ second)
}
