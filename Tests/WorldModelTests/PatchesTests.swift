import Autograd
import Testing

@testable import WorldModel

@Suite struct PatchesTests {
  private let layout = Patches(height: 4, width: 6, size: 2)

  @Test func patchesLieInRasterOrder() {
    #expect(layout.rows == 2 && layout.columns == 3 && layout.count == 6 && layout.channels == 12)
    let batch = FrameBatch(clips: 1, time: 1, height: 4, width: 6, bytes: (0..<72).map { UInt8($0) })
    let patches = batch.patches(layout, arena: Arena())
    #expect(patches.shape == [1, 1, 6, 12])
    for (place, value) in patches.values.enumerated() {
      let (patch, inside) = (place / 12, place % 12)
      let row = patch / 3 * 2 + inside / 6
      let column = patch % 3 * 2 + inside / 3 % 2
      let byte = (row * 6 + column) * 3 + inside % 3
      #expect(abs(value - (Float(byte) / 255 - 0.5)) < 1e-6)
    }
  }

  @Test func framesComeBack() {
    let bytes = (0..<144).map { UInt8(($0 * 37) % 256) }
    let batch = FrameBatch(clips: 2, time: 1, height: 4, width: 6, bytes: bytes)
    let patches = batch.patches(layout, arena: Arena())
    var frames = [UInt8](repeating: 0, count: 144)
    for clip in 0..<2 {
      frames.withUnsafeMutableBufferPointer {
        layout.assemble(patches.pointer + clip * 72, into: $0.baseAddress! + clip * 72)
      }
    }
    #expect(frames == bytes)
  }

  @Test func valuesOutsideAreClamped() {
    var frame = [UInt8](repeating: 7, count: 72)
    let values = (0..<72).map { [Float(-9), 9, .nan][$0 % 3] }
    layout.assemble(values, into: &frame)
    for (place, byte) in frame.enumerated() where place % 3 < 2 {
      #expect(byte == (place % 3 == 0 ? 0 : 255))
    }
  }

  @Test func partsOfABatch() {
    let batch = FrameBatch(clips: 2, time: 3, height: 1, width: 1, bytes: (0..<18).map { UInt8($0) })
    #expect(batch.clips(1..<2).bytes == Array(9..<18))
    #expect(batch.frames(1..<3).bytes == [3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17])
  }
}
