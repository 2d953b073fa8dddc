import Autograd
import Testing

@testable import WorldModel

@Suite struct WindowsByCodeTests {
  /// Code 0 is in every window, code 2 in one of a thousand, code 1 in none.
  @Test func everyCodeThatOccursIsAsLikely() {
    var windows = WindowsByCode(codes: 3, most: 16)
    for window in 0..<1000 {
      windows.meet(window, code: 0)
      if window == 700 { windows.meet(window, code: 2) }
    }
    let drawn = (0..<2000).map { windows.draw(RandomKey(seed: UInt64($0)))! }
    #expect(drawn.allSatisfy { (0..<1000).contains($0) })
    #expect(abs(Double(drawn.count { $0 == 700 }) / 2000 - 0.5) < 0.05)
  }

  @Test func whatIsKeptOfACommonCodeIsFromEverywhere() {
    var windows = WindowsByCode(codes: 1, most: 64)
    for window in 0..<10_000 { windows.meet(window, code: 0) }
    let kept = windows.table.values.map { Int($0) - 1 }
    #expect(Set(kept).count == 64)
    let mean = Double(kept.reduce(0, +)) / 64
    #expect(abs(mean - 5000) < 1200)
  }

  @Test func nothingMetNothingDrawn() {
    #expect(WindowsByCode(codes: 4).draw(RandomKey(seed: 1)) == nil)
  }
}
