import ArgumentParser
import Autograd
import CKernels
import NeuralNetwork

extension Precision: ExpressibleByArgument {}

/// What the processor could do at most in a precision, on some threads at once.
struct PeakRate {
  let workers: Workers
  let precision: Precision

  /// Measured anew: fused multiply-adds that never leave the registers. The best of several is what the
  /// processor can do; the others were disturbed.
  /// - Returns: floating-point operations a second.
  func measure() -> Double {
    let (precision, rounds) = (precision, Self.rounds)
    let done = Slots<Double>(count: workers.count)
    let seconds = Stopwatch.seconds {
      workers.run { worker in
        // A processor without bfloat16 computes in Float32 whatever it is asked for.
        let own = precision == .bfloat16 ? ck_peak_bfloat16(rounds) : 0
        done[worker] = own > 0 ? own : ck_peak_float32(rounds)
      }
    }
    return done.all.reduce(0, +) / seconds
  }

  /// Some 30 milliseconds' worth.
  private static let rounds = 8_000_000
}
