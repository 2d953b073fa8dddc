import Autograd
import CKernels

/// Trains one model on several workers: each takes whole sequences with a tape, an arena and gradients of its
/// own; gradients are reduced once a step, in the order of workers, so that a step repeats bit for bit.
public final class DataParallel: @unchecked Sendable {
  public let workers: Workers
  /// One a worker; not to be touched while a step runs.
  public let tapes: [Tape]
  private let gradients: [Gradients]

  /// - Parameter precision: of the operands of matrix products; sums, gradients and parameters are Float32.
  public init(_ parameters: Parameters, workers: Workers, precision: Precision = .float32) {
    self.workers = workers
    gradients = (0..<workers.count).map { _ in Gradients(parameters) }
    tapes = gradients.map { Tape(arena: Arena(), gradients: $0, precision: precision) }
  }

  /// Runs the parts of a batch forward and backward, and reduces their gradients.
  /// - Parameters:
  ///   - parts: part `i` goes to worker `i % workers.count`.
  ///   - loss: records one part and returns its share of the loss (already scaled) and what is to be
  ///     reported.
  /// - Returns: the summed gradients, and what each part reported, in order.
  public func gradients<Report: Sendable>(
    parts: Int, _ loss: @escaping @Sendable (_ part: Int, _ worker: Int, _ tape: Tape) -> (Variable, Report)
  ) -> (gradients: Gradients, reports: [Report]) {
    let reports = Slots<Report>(count: parts)
    let count = workers.count
    workers.run { [self] worker in
      let tape = tapes[worker]
      tape.profile?.begin()
      gradients[worker].clear()
      for part in stride(from: worker, to: parts, by: count) {
        tape.reset()
        tape.profile?.mark("clear")
        let (total, report) = loss(part, worker, tape)
        tape.backward(from: total)
        reports[part] = report
      }
    }
    tapes[0].profile?.mark("wait for other workers")
    for other in gradients.dropFirst() {
      ck_add_scaled(other.flat.pointer, 1, gradients[0].flat.pointer, other.flat.count)
    }
    tapes[0].profile?.mark("reduce gradients")
    return (gradients[0], reports.all)
  }
}

/// Results of a parallel loop: each place is written once, by one worker.
public final class Slots<Value: Sendable>: @unchecked Sendable {
  private let values: UnsafeMutableBufferPointer<Value?>

  public init(count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: nil)
  }

  deinit {
    values.deinitialize()
    values.deallocate()
  }

  public subscript(_ index: Int) -> Value? {
    get { values[index] }
    set { values[index] = newValue }
  }

  /// All values, in order.
  /// - Precondition: every place was written.
  public var all: [Value] { values.map { $0! } }
}
