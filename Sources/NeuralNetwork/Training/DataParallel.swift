import Autograd
import CKernels

/// Trains one model on several workers: each takes whole sequences with a tape, an arena and gradients of its
/// own; gradients are reduced once a step, in the order of workers, so that a step repeats bit for bit.
///
/// Where the workers belong to several processes, the same parts are shared out among all of them, and after the workers
/// of a process its gradients are reduced over processes: each is left those of the parameters that its ``Optimizer`` updates.
public final class DataParallel: @unchecked Sendable {
  public let workers: Workers
  /// One a worker; not to be touched while a step runs.
  public let tapes: [Tape]
  private let gradients: [Gradients]
  /// Floats of the gradients that each rank is left.
  private let pieces: [Int]

  /// - Parameter precision: of the operands of matrix products; sums, gradients and parameters are Float32.
  public init(_ parameters: Parameters, workers: Workers, precision: Precision = .float32) {
    self.workers = workers
    gradients = (0..<workers.count).map { _ in Gradients(parameters) }
    tapes = gradients.map { Tape(arena: Arena(), gradients: $0, precision: precision) }
    pieces = parameters.runs(workers.counts.count).map(\.floats.count)
  }

  /// Runs the parts of a batch forward and backward, and reduces their gradients.
  /// - Parameters:
  ///   - parts: part `i` goes to worker `i % total` of all workers of all processes.
  ///   - loss: records one part and returns its share of the loss (already scaled) and what is to be
  ///     reported.
  /// - Returns: the summed gradients (of several processes: those that this one updates), and what each part reported, in
  ///   order, on every process.
  public func gradients<Report: Sendable & BitwiseCopyable>(
    parts: Int, _ loss: @escaping @Sendable (_ part: Int, _ worker: Int, _ tape: Tape) -> (Variable, Report)
  ) -> (gradients: Gradients, reports: [Report]) {
    let reports = Slots<Report>(count: parts)
    workers.run { [self] worker in
      let tape = tapes[worker]
      tape.profile?.begin()
      gradients[worker].clear()
      for part in workers.parts(parts, worker: worker) {
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
    guard let collective = workers.collective else { return (gradients[0], reports.all) }
    collective.reduceScatter(gradients[0].flat.pointer, pieces: pieces)
    tapes[0].profile?.mark("reduce over processes")
    let all = collective.gathered(workers.parts(parts, of: workers.rank).map { reports[$0]! })
    for (rank, reported) in all.enumerated() {
      for (part, report) in zip(workers.parts(parts, of: rank), reported) { reports[part] = report }
    }
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
