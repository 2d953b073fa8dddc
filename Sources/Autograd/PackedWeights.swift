import CKernels

/// Matrices that no longer change, copied once in the order in which a product reads them. A ``Tape`` that is
/// given them packs nothing itself. All workers share one.
public final class PackedWeights: Sendable {
  public let precision: Precision
  private let panels: [UInt: Tensor]

  /// What was packed, by the parameters' names: to be kept where other processes find it.
  public let byName: [String: Tensor]

  /// Packs the matrices among `parameters`.
  /// - Parameter stored: what was packed before, of the same parameters and at the same precision.
  public init(_ parameters: [Parameter], precision: Precision, stored: StoredValues? = nil) {
    // By the address of the values: a parameter keeps its memory for life.
    var (panels, byName): ([UInt: Tensor], [String: Tensor]) = ([:], [:])
    for parameter in parameters where parameter.shape.rank == 2 && parameter.role != .vector {
      let (inputs, outputs) = (parameter.shape[0], parameter.shape[1])
      let shape = Shape([ck_packed_count(precision.kernel, outputs, inputs)])
      let found = stored?.tensor(parameter.name, shape)
      let packed = found ?? Tensor(shape: shape)
      if found == nil {
        ck_pack(precision.kernel, 0, outputs, inputs, parameter.value.pointer, outputs, packed.pointer)
      }
      panels[UInt(bitPattern: parameter.value.pointer)] = packed
      byName[parameter.name] = packed
    }
    self.precision = precision
    self.panels = panels
    self.byName = byName
  }

  /// The panels of a weight, or nil where it is not one of these.
  func panels(of weight: Tensor) -> UnsafePointer<Float>? {
    panels[UInt(bitPattern: weight.pointer)].map { UnsafePointer($0.pointer) }
  }

  /// Bytes of all panels.
  public var byteCount: Int { panels.values.reduce(0) { $0 + 4 * $1.count } }
}
