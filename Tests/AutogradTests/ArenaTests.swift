import Autograd
import Testing

@Suite struct ArenaTests {
  @Test func tensorsDoNotOverlap() {
    let arena = Arena(capacity: 64)
    let tensors = (0..<20).map { index in
      let tensor = arena.tensor([7])
      tensor.fill(Float(index))
      return tensor
    }
    for (index, tensor) in tensors.enumerated() {
      #expect(tensor.values == [Float](repeating: Float(index), count: 7))
    }
  }

  @Test func growthKeepsTensorsValid() {
    let arena = Arena(capacity: 16)
    let small = arena.tensor([1, 2, 3], [3])
    let large = arena.zeros([1000])
    #expect(small.values == [1, 2, 3])
    #expect(large.values == [Float](repeating: 0, count: 1000))
    arena.reset()
    #expect(arena.tensor([4, 5], [2]).values == [4, 5])
  }

  @Test func tensorsAreAlignedTo64Bytes() {
    let arena = Arena()
    for count in [1, 17, 16, 33] {
      #expect(UInt(bitPattern: arena.tensor([count]).pointer) % 64 == 0)
    }
  }

  @Test func memoryIsReused() {
    let arena = Arena()
    let first = arena.tensor([100]).pointer
    arena.reset()
    #expect(arena.tensor([10]).pointer == first)
  }

  @Test func useAfterResetTraps() async {
    await #expect(processExitsWith: .failure) {
      let arena = Arena()
      let tensor = arena.zeros([4])
      arena.reset()
      _ = tensor.values
    }
    await #expect(processExitsWith: .failure) {
      let arena = Arena()
      let part = arena.zeros([4, 4]).slice(1..<2).reshaped([2, 2])
      arena.reset()
      _ = part[0]
    }
  }

  /// Also a tensor of a chunk that the arena has given up for a larger one, and one of a later chunk.
  @Test func useAfterResetTrapsWhereTheArenaHasGrown() async {
    await #expect(processExitsWith: .failure) {
      let arena = Arena(capacity: 16)
      let tensor = arena.zeros([4])
      _ = arena.zeros([100])
      arena.reset()
      _ = tensor[0]
    }
    await #expect(processExitsWith: .failure) {
      let arena = Arena(capacity: 16)
      _ = arena.zeros([4])
      let tensor = arena.zeros([100])
      arena.reset()
      _ = tensor[0]
    }
  }
}
