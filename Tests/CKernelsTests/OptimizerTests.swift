import CKernels
import Foundation
import Testing

@Suite struct OptimizerTests {
  @Test(arguments: [1, 16, 37, 300]) func adamWAgreesWithReference(count: Int) {
    var samples = Samples(seed: 1)
    let start = samples.floats(count)
    let zeros = [Float](repeating: 0, count: count)
    var parameters = [start, start]
    var first = [zeros, zeros]
    var second = [zeros, zeros]
    for step in 1...5 {
      let gradients = samples.floats(count, scale: 0.1)
      let correction1 = Float(1 - pow(0.9, Double(step)))
      let correction2 = Float(1 - pow(0.999, Double(step)))
      ck_adamw(
        &parameters[0], gradients, &first[0], &second[0], count, 1e-2, 0.9, 0.999, 1e-8, 0.1, correction1,
        correction2)
      ck_reference_adamw(
        &parameters[1], gradients, &first[1], &second[1], count, 1e-2, 0.9, 0.999, 1e-8, 0.1, correction1,
        correction2)
    }
    expectClose(parameters[0], parameters[1])
    expectClose(first[0], first[1])
    expectClose(second[0], second[1])
  }

  @Test func theFirstStepHasTheSizeOfTheRate() {
    var parameters: [Float] = [1, 1, 1]
    var first: [Float] = [0, 0, 0]
    var second: [Float] = [0, 0, 0]
    ck_adamw(&parameters, [1e-3, -5, 0], &first, &second, 3, 0.1, 0.9, 0.99, 1e-12, 0.5, 0.1, 0.01)
    expectClose(parameters, [0.85, 1.05, 0.95], tolerance: 1e-5)
  }
}
