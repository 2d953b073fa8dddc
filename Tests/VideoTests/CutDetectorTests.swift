import Testing

@testable import Video

struct CutDetectorTests {
  private func cuts(_ frames: [Picture]) -> [Int] {
    var detector = CutDetector()
    return frames.indices.filter { detector.isCut(frames[$0]) }
  }

  @Test func aScrollingSceneIsNoCutAndAnotherSceneIs() {
    // Up to eight pixels a frame, still and moving again.
    let offsets = (0..<40).map { $0 * 2 } + Array(repeating: 80, count: 20) + (0..<40).map { 80 + $0 * 8 }
    let scroll = offsets.map { Scenes.texture(1, offset: $0) }
    #expect(cuts(scroll).isEmpty)
    #expect(cuts(scroll + scroll.map { _ in Scenes.texture(2) } + [Scenes.texture(3)]) == [100, 200])
  }

  @Test func aSmallChangeBeforeACameraAtRestIsACut() {
    // The scenes differ in one band only, by less than a moving scene does from frame to frame.
    var other = Scenes.texture(1)
    for index in 0..<64 * 12 * 3 { other.pixels[index] = other.pixels[index] / 2 + 100 }
    let still = Array(repeating: Scenes.texture(1), count: 20)
    let residual = CutDetector.residual(
      still[0].resized(height: 32, width: 32), other.resized(height: 32, width: 32))
    #expect(residual > 4 && residual < 11)
    #expect(cuts(still + [other, other]) == [20])
    #expect(cuts(Array(still.prefix(10)) + [other]) == [])
  }

  @Test func residualOfAShiftIsNothing() {
    let moved = CutDetector.residual(
      Scenes.texture(4, size: 32, offset: 0), Scenes.texture(4, size: 32, offset: 5))
    #expect(moved == 0)
    #expect(CutDetector.residual(Scenes.texture(4, size: 32), Scenes.texture(5, size: 32)) > 30)
  }

  @Test func tinyFramesAreFine() {
    #expect(
      cuts([Picture(height: 1, width: 1), Picture(height: 1, width: 1, red: 255, green: 255, blue: 255)]) == [
        1
      ])
  }
}
