/// A contiguous, row-major array of Float32, 64-byte-aligned.
///
/// A tensor refers to memory that it either shares with its copies (`init(shape:)`) or borrowed from an
/// ``Arena``. A borrowed tensor is valid until the arena's next reset; using it later traps with both
/// generations, instead of reading the next step's numbers.
public struct Tensor: @unchecked Sendable {
  public let shape: Shape
  private let storage: Storage
  private let base: UnsafeMutablePointer<Float>
  private let generation: UInt64

  /// A tensor with memory of its own, all zero.
  public init(shape: Shape) {
    let storage = Storage(capacity: shape.count)
    storage.base.initialize(repeating: 0, count: shape.count)
    self.init(shape: shape, storage: storage, offset: 0)
  }

  /// A tensor with memory of its own that holds `values`.
  public init(_ values: [Float], shape: Shape) {
    precondition(values.count == shape.count, "\(values.count) values for shape \(shape)")
    self.init(shape: shape)
    values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { pointer.update(from: start, count: source.count) }
    }
  }

  /// A tensor in memory of somebody else, such as a file that is mapped.
  /// - Parameters:
  ///   - pointer: the first of as many values as the shape holds.
  ///   - owner: keeps the memory where it is.
  public init(shape: Shape, borrowing pointer: UnsafeMutablePointer<Float>, of owner: AnyObject) {
    self.init(
      shape: shape, storage: Storage(borrowing: pointer, capacity: shape.count, owner: owner), offset: 0)
  }

  init(shape: Shape, storage: Storage, offset: Int) {
    self.shape = shape
    self.storage = storage
    self.base = storage.base + offset
    self.generation = storage.generation
  }

  private init(shape: Shape, like other: Tensor, offset: Int) {
    self.shape = shape
    self.storage = other.storage
    self.base = other.base + offset
    self.generation = other.generation
  }

  public var count: Int { shape.count }

  /// The first element.
  public var pointer: UnsafeMutablePointer<Float> {
    precondition(
      storage.generation == generation,
      "tensor \(shape) of generation \(generation) used in generation \(storage.generation) of its arena")
    return base
  }

  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  public subscript(_ index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "element \(index) of \(shape)")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "element \(index) of \(shape)")
      pointer[index] = newValue
    }
  }

  /// The same memory under another shape.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) cannot be seen as \(shape)")
    return Tensor(shape: shape, like: self, offset: 0)
  }

  /// Rows `range` of the outermost dimension: the same memory.
  public func slice(_ range: Range<Int>) -> Tensor {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    let row = shape[0] == 0 ? 0 : count / shape[0]
    return Tensor(shape: shape.with(first: range.count), like: self, offset: range.lowerBound * row)
  }

  public func copy(from other: Tensor) {
    precondition(other.count == count, "copying \(other.shape) into \(shape)")
    pointer.update(from: other.pointer, count: count)
  }

  public func fill(_ value: Float) { pointer.update(repeating: value, count: count) }
}

/// Memory of tensors, 64-byte-aligned.
final class Storage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let capacity: Int
  var generation: UInt64 = 0
  /// Whose memory it is; nil where it is the storage's own.
  private let owner: AnyObject?

  init(capacity: Int) {
    self.capacity = capacity
    owner = nil
    let bytes = max(64, (capacity * 4 + 63) / 64 * 64)
    base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64).assumingMemoryBound(
      to: Float.self)
  }

  init(borrowing base: UnsafeMutablePointer<Float>, capacity: Int, owner: AnyObject) {
    self.base = base
    self.capacity = capacity
    self.owner = owner
  }

  deinit {
    if owner == nil { UnsafeMutableRawPointer(base).deallocate() }
  }
}
