import CKernels

/// Matrices that no longer change, copied once in the order in which a product reads them. A ``Tape`` that is
/// given them packs nothing itself. All workers share one.
public final class PackedWeights: Sendable {
  public let precision: Precision
  private let panels: [UInt: Tensor]

  /// Packs the matrices among `parameters`.
  public init(_ parameters: [Parameter], precision: Precision) {
    // By the address of the values: a parameter keeps its memory for life.
    var panels: [UInt: Tensor] = [:]
    for parameter in parameters where parameter.shape.rank == 2 && parameter.role != .vector {
      let (inputs, outputs) = (parameter.shape[0], parameter.shape[1])
      let packed = Tensor(shape: [ck_packed_count(precision.kernel, outputs, inputs)])
      ck_pack(precision.kernel, 0, outputs, inputs, parameter.value.pointer, outputs, packed.pointer)
      panels[UInt(bitPattern: parameter.value.pointer)] = packed
    }
    self.precision = precision
    self.panels = panels
  }

  /// The panels of a weight, or nil where it is not one of these.
  func panels(of weight: Tensor) -> UnsafePointer<Float>? {
    panels[UInt(bitPattern: weight.pointer)].map { UnsafePointer($0.pointer) }
  }

  /// Bytes of all panels.
  public var byteCount: Int { panels.values.reduce(0) { $0 + 4 * $1.count } }
}
