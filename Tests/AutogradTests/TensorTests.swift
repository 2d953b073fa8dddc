import Autograd
import Testing

@Suite struct TensorTests {
  private let tensor = Tensor((0..<12).map(Float.init), shape: [3, 2, 2])

  @Test func slicesShareMemory() {
    let rows = tensor.slice(1..<3)
    #expect(rows.shape == [2, 2, 2])
    #expect(rows.values == [4, 5, 6, 7, 8, 9, 10, 11])
    rows[0] = 40
    #expect(tensor[4] == 40)
    #expect(rows.slice(1..<2).values == [8, 9, 10, 11])
    #expect(tensor.slice(1..<1).values == [])
  }

  @Test func reshapingSharesMemory() {
    let flat = tensor.reshaped([12])
    flat[11] = -1
    #expect(tensor[11] == -1)
    #expect(flat.slice(3..<5).values == [3, 4])
  }

  @Test func copyingAndFilling() {
    let copy = Tensor(shape: [12])
    #expect(copy.values == [Float](repeating: 0, count: 12))
    copy.copy(from: tensor)
    #expect(copy.values == tensor.values)
    copy.fill(2)
    #expect(copy.values == [Float](repeating: 2, count: 12))
    #expect(tensor[0] == 0)
  }

  @Test func emptyTensors() {
    #expect(Tensor([], shape: [0]).values == [])
    #expect(Tensor(shape: [3, 0]).values == [])
    #expect(Arena().tensor([], [0, 4]).values == [])
  }

  @Test func shapes() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.rank == 3 && shape.count == 24 && shape.rows == 6)
    #expect(shape[0] == 2 && shape[-1] == 4)
    #expect(shape.with(last: 7) == [2, 3, 7])
    #expect(shape.dimensions == [2, 3, 4])
    #expect("\(shape)" == "[2, 3, 4]")
    #expect(Shape([]).count == 1 && Shape([]).rows == 1)
    #expect(Shape([2, 3]) != Shape([2, 3, 0]))
  }

  @Test func mistakesTrap() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4]).reshaped([5]) }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4]).slice(2..<5) }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [4])[4] }
    await #expect(processExitsWith: .failure) { Tensor(shape: [4]).copy(from: Tensor(shape: [5])) }
    await #expect(processExitsWith: .failure) { _ = Shape([1, 2, 3, 4, 5, 6, 7]) }
  }
}
