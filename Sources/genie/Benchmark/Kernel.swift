import Autograd
import Foundation
import Reporting

/// One kernel in one shape, ready to run.
struct Kernel {
  let name: String
  let shape: String
  var precision = Precision.float32
  /// Multiply-adds of a run, times two; 0 where elements tell more.
  var flops = 0.0
  var elements = 0
  let run: () -> Void

  init(
    _ name: String, _ shape: String, flops: Double, in precision: Precision = .float32,
    run: @escaping () -> Void
  ) {
    (self.name, self.shape, self.flops, self.precision) = (name, shape, flops, precision)
    self.run = run
  }

  init(_ name: String, _ shape: String, elements: Int, run: @escaping () -> Void) {
    (self.name, self.shape, self.elements) = (name, shape, elements)
    self.run = run
  }
}

/// How fast a kernel was.
struct KernelResult {
  private let kernel: Kernel
  private let seconds: Double
  private let peak: Double

  /// - Parameter peak: floating-point operations a second that the processor can do at most.
  init(_ kernel: Kernel, seconds: Double, peak: Double) {
    (self.kernel, self.seconds, self.peak) = (kernel, seconds, peak)
  }

  private var rate: Double { kernel.flops / seconds }

  var cells: [String] {
    let product = kernel.flops > 0
    return [
      kernel.name, kernel.shape, String(format: "%.1f", seconds * 1e6),
      product ? String(format: "%.0f", rate * 1e-9) : "",
      product ? String(format: "%.0f%%", 100 * rate / peak) : "",
      product ? "" : String(format: "%.2f", seconds * 1e9 / Double(kernel.elements)),
    ]
  }

  var json: JSONValue {
    var object: [String: JSONValue] = [
      "kernel": .string(kernel.name), "shape": .string(kernel.shape), "microseconds": .number(seconds * 1e6),
    ]
    if kernel.flops > 0 {
      object["precision"] = .string(kernel.precision.rawValue)
      object["gflops"] = .number(rate * 1e-9)
      object["fraction_of_peak"] = .number(rate / peak)
    } else {
      object["nanoseconds_per_element"] = .number(seconds * 1e9 / Double(kernel.elements))
    }
    return .object(object)
  }
}

/// Some numbers between -1 and 1, for a kernel to work on.
final class Samples {
  let at: UnsafeMutablePointer<Float>

  init(_ count: Int) {
    at = .allocate(capacity: count)
    for i in 0..<count {
      let bits = (i &* 2_654_435_761) >> 8
      at[i] = Float(bits & 0xffff) / 32768 - 1
    }
  }

  deinit { at.deallocate() }
}
