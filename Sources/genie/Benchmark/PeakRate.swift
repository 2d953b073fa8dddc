import ArgumentParser
import Autograd
import CKernels
import Foundation
import NeuralNetwork

/// What the processor could do at most in a precision, on some threads at once: fused multiply-adds that
/// never leave the registers.
final class PeakRate {
  private let workers: Workers
  private let precision: Precision
  private var rates: [Double] = []
  private var shares: [Double] = []

  init(workers: Workers, precision: Precision) {
    self.workers = workers
    self.precision = precision
  }

  /// Floating-point operations a second, by the processor's time, not the clock's: so that other programs do
  /// not make the limit look lower. The best of all measurements.
  var best: Double { rates.max() ?? 0 }

  /// How much of the processors we had: the median of their time by the clock's. Below 1, others had the
  /// rest.
  var calm: Double { shares.isEmpty ? 0 : Stopwatch.median(shares) }

  /// Measures once more.
  /// - Returns: the rate.
  @discardableResult
  func measure() -> Double {
    let (precision, rounds) = (precision, Self.rounds)
    let done = Slots<Double>(count: workers.count)
    let before = Self.processorSeconds
    let seconds = Stopwatch.seconds {
      workers.run { worker in
        // A processor without bfloat16 computes in Float32 whatever it is asked for.
        let own = precision == .bfloat16 ? ck_peak_bfloat16(rounds) : 0
        done[worker] = own > 0 ? own : ck_peak_float32(rounds)
      }
    }
    let used = (Self.processorSeconds - before) / Double(workers.count)
    rates.append(done.all.reduce(0, +) / used)
    shares.append(min(1, used / seconds))
    return rates.last!
  }

  /// Of all threads of this process.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Some 30 milliseconds' worth.
  private static let rounds = 8_000_000
}
