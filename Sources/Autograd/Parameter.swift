/// A trained tensor: a leaf of the graph, with memory of its own.
public final class Parameter: @unchecked Sendable {
  /// How an optimizer treats a parameter.
  public enum Role: Sendable {
    /// A matrix inside a block: orthogonalised updates (Muon) where they are in use, else AdamW with decay.
    case hidden
    /// An embedding, or the first or last matrix of a model: AdamW with decay.
    case outer
    /// A gain, a bias or a table of attention biases: AdamW without decay.
    case vector
  }

  public let name: String
  public let role: Role
  public let value: Tensor
  /// Where its gradient begins in a worker's ``Gradients``.
  let offset: Int
  /// The set that it belongs to.
  unowned let parameters: Parameters

  init(name: String, role: Role, value: Tensor, offset: Int, parameters: Parameters) {
    self.name = name
    self.role = role
    self.value = value
    self.offset = offset
    self.parameters = parameters
  }

  public var shape: Shape { value.shape }
}

/// How a parameter starts.
public enum Initializer: Sendable {
  case constant(Float)
  case normal(standardDeviation: Float)
  case values([Float])
}

/// The parameters of one model, in the order in which its layers made them.
///
/// They are trained together: their gradients lie in one flat buffer per worker (``Gradients``), so that
/// reducing over workers, measuring the norm and an all-reduce are one pass each.
public final class Parameters: @unchecked Sendable {
  public private(set) var all: [Parameter] = []
  private var names: Set<String> = []
  /// Floats in one worker's gradient buffer.
  public private(set) var gradientCount = 0
  private let key: RandomKey
  private let stored: StoredValues?

  /// - Parameters:
  ///   - seed: of the initial values; a parameter's values depend on the seed and its name alone.
  ///   - stored: values that are there already: a parameter whose values are among them is made of their memory.
  public init(seed: UInt64, stored: StoredValues? = nil) {
    key = RandomKey(seed: seed)
    self.stored = stored
  }

  public func make(_ name: String, _ shape: Shape, _ role: Parameter.Role, _ initializer: Initializer)
    -> Parameter
  {
    precondition(names.insert(name).inserted, "two parameters are named '\(name)'")
    let found = stored?.tensor(name, shape)
    let value = found ?? Tensor(shape: shape)
    switch initializer {
    case _ where found != nil: break
    case .constant(let constant): value.fill(constant)
    case .normal(let deviation):
      let own = key.folded(in: name)
      for i in 0..<value.count { value.pointer[i] = deviation * own.normal(UInt64(i)) }
    case .values(let values):
      precondition(values.count == shape.count, "\(values.count) values for '\(name)' \(shape)")
      for i in 0..<value.count { value.pointer[i] = values[i] }
    }
    let parameter = Parameter(name: name, role: role, value: value, offset: gradientCount, parameters: self)
    gradientCount += (shape.count + 15) / 16 * 16
    all.append(parameter)
    return parameter
  }

  /// Divides the parameters into runs of about as many values, one for each rank: what a rank updates.
  /// - Returns: for each run its parameters, and where their gradients lie.
  public func runs(_ count: Int) -> [(parameters: Range<Int>, floats: Range<Int>)] {
    var (runs, index): ([(Range<Int>, Range<Int>)], Int) = ([], 0)
    for run in 0..<count {
      let start = index
      let end = gradientCount * (run + 1) / count
      // A parameter belongs to the run in which its middle lies.
      while index < all.count, run == count - 1 || all[index].offset + all[index].shape.count / 2 < end {
        index += 1
      }
      let offsets = [start, index].map { $0 < all.count ? all[$0].offset : gradientCount }
      runs.append((start..<index, offsets[0]..<offsets[1]))
    }
    return runs
  }

  /// Number of trained values.
  public var count: Int { all.reduce(0) { $0 + $1.shape.count } }
}

/// Where the values of parameters lie before there are parameters, by name.
public protocol StoredValues: AnyObject, Sendable {
  /// The values of that name and shape, in memory that may be changed; nil where there are none.
  func tensor(_ name: String, _ shape: Shape) -> Tensor?
}

/// One worker's gradients of all parameters of a model.
public final class Gradients: @unchecked Sendable {
  public let parameters: Parameters
  public let flat: Tensor

  public init(_ parameters: Parameters) {
    self.parameters = parameters
    flat = Tensor(shape: [parameters.gradientCount])
  }

  /// The gradient of one parameter, in its shape.
  public func tensor(_ parameter: Parameter) -> Tensor {
    flat.slice(parameter.offset..<parameter.offset + parameter.shape.count).reshaped(parameter.shape)
  }

  public func clear() { flat.fill(0) }
}
