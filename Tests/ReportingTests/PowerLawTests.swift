import Foundation
import Reporting
import Testing

@Suite struct PowerLawTests {
  @Test func aPowerIsFound() {
    let law = PowerLaw(fitting: [1.0, 10, 300, 4e6].map { (x: $0, y: 7 * pow($0, -0.25)) })
    #expect(abs(law.exponent + 0.25) < 1e-9 && abs(law.constant - 7) < 1e-9)
    #expect(abs(law(16) - 3.5) < 1e-9 && law.determination > 0.999_999)
  }

  @Test func scatterShowsInTheDetermination() {
    let law = PowerLaw(fitting: [(1, 1), (2, 3), (4, 2), (8, 6)])
    #expect(law.determination > 0.5 && law.determination < 0.95)
  }

  @Test func ticksLieOnTheAxis() {
    let axis = LogarithmicAxis([3e10, 8e14])
    #expect(!axis.ticks.isEmpty && axis.ticks.allSatisfy { (0...1).contains(axis.share($0)) })
    #expect(LogarithmicAxis.label(1e12) == "1e+12" && LogarithmicAxis.label(2e6) == "2.0M")
  }
}
