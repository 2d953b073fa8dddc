import Foundation
import Testing

@testable import WorldModel

@Suite struct MaskScheduleTests {
  @Test func nothingIsMaskedAtTheEnd() {
    for tokens in [1, 16, 64, 256] {
      for steps in [1, 2, 3, 8, 25] {
        var before = tokens
        for step in 0..<steps {
          let masked = MaskSchedule.masked(after: step, of: steps, tokens: tokens)
          #expect(masked >= 0 && masked <= before)
          before = masked
        }
        #expect(before == 0)
      }
    }
  }

  @Test func theCosineOfMaskGIT() {
    #expect((0..<4).map { MaskSchedule.masked(after: $0, of: 4, tokens: 64) } == [59, 45, 24, 0])
  }
}
