/// The extents of a tensor, outermost first; at most 6, kept inline so that making a tensor allocates
/// nothing.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  private var extents: SIMD8<Int32>
  public private(set) var rank: Int

  public init(_ dimensions: [Int]) {
    precondition(dimensions.count <= 6, "a shape has at most 6 dimensions, not \(dimensions.count)")
    extents = .zero
    rank = dimensions.count
    for (i, extent) in dimensions.enumerated() {
      precondition(extent >= 0 && extent <= Int(Int32.max), "extent \(extent) of dimension \(i)")
      extents[i] = Int32(extent)
    }
  }

  /// No dimension: one element.
  static let scalar = Shape([])

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The extent of dimension `i`; negative counts from the last.
  public subscript(_ i: Int) -> Int {
    let index = i < 0 ? rank + i : i
    precondition(index >= 0 && index < rank, "dimension \(i) of \(self)")
    return Int(extents[index])
  }

  /// Number of elements.
  public var count: Int {
    var product = 1
    for i in 0..<rank { product *= Int(extents[i]) }
    return product
  }

  public var dimensions: [Int] { (0..<rank).map { Int(extents[$0]) } }

  /// The product of all extents but the last: rows of a matrix whose columns are the channels.
  public var rows: Int { rank == 0 ? 1 : count / Swift.max(1, self[-1]) }

  /// The same shape with another last extent.
  public func with(last: Int) -> Shape {
    var result = self
    precondition(rank > 0, "a scalar has no last dimension")
    result.extents[rank - 1] = Int32(last)
    return result
  }

  /// The same shape with one more dimension, innermost.
  public func appending(_ extent: Int) -> Shape {
    precondition(rank < 6, "a shape has at most 6 dimensions: \(self) has \(rank)")
    var result = self
    result.extents[rank] = Int32(extent)
    result.rank += 1
    return result
  }

  /// The same shape with another first extent.
  func with(first: Int) -> Shape {
    var result = self
    result.extents[0] = Int32(first)
    return result
  }

  public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
