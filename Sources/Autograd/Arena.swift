import CKernels

/// Memory for the activations and gradients of one step of one worker: taken in order, given back all at
/// once.
///
/// glibc returns large buffers to the system at every free, which costs nearly half of a training step; an
/// arena keeps its pages. It grows to what the largest step needs and stays there. One thread at a time.
public final class Arena {
  private var chunks: [Storage]
  private var used = 0
  private var total = 0

  /// - Parameter capacity: floats to begin with.
  public init(capacity: Int = 1 << 20) {
    chunks = [Storage(capacity: capacity)]
  }

  /// Bytes that were taken since the last ``reset()``.
  public var byteCount: Int { 4 * (total + used) }

  /// Uninitialised memory of the given shape, valid until ``reset()``.
  public func tensor(_ shape: Shape) -> Tensor {
    let size = (shape.count + 15) / 16 * 16
    if used + size > chunks[chunks.count - 1].capacity {
      total += used
      let chunk = Storage(capacity: max(size, 2 * chunks[chunks.count - 1].capacity))
      chunk.generation = chunks[0].generation
      chunks.append(chunk)
      used = 0
    }
    let tensor = Tensor(shape: shape, storage: chunks[chunks.count - 1], offset: used)
    used += size
    return tensor
  }

  /// Uninitialised memory of so many floats.
  public func scratch(_ count: Int) -> Tensor { tensor(Shape.scalar.appending(count)) }

  /// Memory of the given shape, all zero.
  public func zeros(_ shape: Shape) -> Tensor {
    let tensor = tensor(shape)
    tensor.fill(0)
    return tensor
  }

  public func tensor(_ values: [Float], _ shape: Shape) -> Tensor {
    precondition(values.count == shape.count, "\(values.count) values for shape \(shape)")
    let tensor = tensor(shape)
    values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { tensor.pointer.update(from: start, count: source.count) }
    }
    return tensor
  }

  /// Gives everything back: tensors of this arena may not be used any more.
  public func reset() {
    let generation = chunks[0].generation + 1
    if chunks.count > 1 {
      let capacity = total + used
      for chunk in chunks { chunk.generation = generation }
      chunks = [Storage(capacity: capacity + capacity / 8)]
    }
    chunks[0].generation = generation
    used = 0
    total = 0
  }
}
