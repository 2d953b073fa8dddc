/// The processes that train one model together, each with its share of every step: what one of them (a rank) can ask
/// of the others.
///
/// All ranks make the same calls in the same order, on one thread each; a call returns when every rank has come to it.
/// Where another rank is gone there is nothing to go on with: the implementation ends this process and says why.
public protocol Collective: AnyObject, Sendable {
  /// This process, in `0..<count`.
  var rank: Int { get }
  /// Processes, this one included.
  var count: Int { get }

  /// Sums a vector over the ranks, and leaves each rank the piece of the sum that is its own.
  /// - Parameters:
  ///   - values: as many as the pieces together; afterwards only the own piece means anything.
  ///   - pieces: values of each rank's piece, by rank.
  func reduceScatter(_ values: UnsafeMutablePointer<Float>, pieces: [Int])

  /// Gives every rank the pieces of all.
  /// - Parameters:
  ///   - bytes: room for the pieces together; the own one is filled in.
  ///   - pieces: bytes of each rank's piece, by rank.
  func gather(_ bytes: UnsafeMutableRawPointer, pieces: [Int])
}

extension Collective {
  /// The values of all ranks, by rank.
  public func gathered<Value: BitwiseCopyable>(_ own: [Value]) -> [[Value]] {
    var counts = [Int](repeating: 0, count: count)
    counts[rank] = own.count
    let ones = [Int](repeating: MemoryLayout<Int>.size, count: count)
    counts.withUnsafeMutableBytes { gather($0.baseAddress!, pieces: ones) }
    let stride = MemoryLayout<Value>.stride
    let starts = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
    let all = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, starts.last! * stride), alignment: MemoryLayout<Value>.alignment)
    defer { all.deallocate() }
    own.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(rebasing: all[(starts[rank] * stride)...]).copyMemory(from: source)
    }
    gather(all.baseAddress!, pieces: counts.map { $0 * stride })
    return (0..<count).map { rank in
      (starts[rank]..<starts[rank + 1]).map { all.load(fromByteOffset: $0 * stride, as: Value.self) }
    }
  }

  /// Rank 0's value, on every rank.
  public func shared<Value: BitwiseCopyable>(_ value: Value) -> Value {
    gathered(rank == 0 ? [value] : [])[0][0]
  }
}
