import Autograd
import Testing

@Suite struct EmbeddingTests {
  private let table = Tensor.random([4, 5], seed: 1)
  // A code that repeats and one that never occurs.
  private let codes: [Int32] = [3, 0, 3, 1, 3, 0]

  @Test func embedding() {
    let tape = dirtyTape(recording: false)
    let result = tape.embedding(tape.constant(table), codes[...], shape: [2, 3]).value
    #expect(result.shape == [2, 3, 5])
    let expected = codes.flatMap { code in (0..<5).map { table[Int(code) * 5 + $0] } }
    #expect(result.values == expected)
    GradientCheck()([table]) { [codes] in $0.embedding($1[0], codes[...], shape: [2, 3]) }
  }

  /// Of two frames of 2 x 3: above, beside and below, and what stands for the outside.
  @Test func neighbours() {
    let codes: [Int32] = [0, 1, 2, 3, 0, 1, /**/ 2, 2, 3, 1, 0, 3]
    let tape = dirtyTape(recording: false)
    let result = tape.neighbours(
      tape.constant(table), codes[...], rows: 2, columns: 3, reach: 1, outside: 3, places: 0..<6
    ).value
    #expect(result.shape == [2, 6, 45])
    let around: [(place: Int, codes: [Int])] = [
      (0, [3, 3, 3, 3, 0, 1, 3, 3, 0]), (4, [0, 1, 2, 3, 0, 1, 3, 3, 3]), (11, [2, 3, 3, 0, 3, 3, 3, 3, 3]),
    ]
    for (place, expected) in around {
      let row = result.values[place * 45..<(place + 1) * 45]
      #expect(Array(row) == expected.flatMap { code in (0..<5).map { table[code * 5 + $0] } }, "\(place)")
    }
    let some = tape.neighbours(
      tape.constant(table), codes[6...], rows: 2, columns: 3, reach: 1, outside: 3, places: 4..<6
    ).value
    #expect(some.values == Array(result.values.suffix(90)))
    GradientCheck()([table]) {
      $0.neighbours($1[0], codes[...], rows: 2, columns: 3, reach: 2, outside: 3, places: 1..<5)
    }
  }

  @Test func positions() {
    let x = Tensor.random([2, 3, 4, 5], seed: 2)
    let tape = dirtyTape(recording: false)
    let result = tape.addPositions(tape.constant(x), tape.constant(table)).value
    expectClose(result.values, (0..<120).map { x[$0] + table[$0 % 20] })
    GradientCheck()([x, table]) { $0.addPositions($1[0], $1[1]) }
  }

  @Test func rows() {
    let x = Tensor.random([2, 3, 5], seed: 3)
    let chosen = [5, 0, 5, 2]
    let tape = dirtyTape(recording: false)
    let result = tape.rows(tape.constant(x), chosen).value
    #expect(result.shape == [4, 5])
    let expected = chosen.flatMap { row in (0..<5).map { x[row * 5 + $0] } }
    #expect(result.values == expected)
    GradientCheck()([x]) { $0.rows($1[0], chosen) }
  }

  @Test func codesOutsideTheTableTrap() async {
    await #expect(processExitsWith: .failure) {
      let tape = Tape(arena: Arena())
      _ = tape.embedding(tape.constant(Tensor(shape: [4, 5])), [4], shape: [1])
    }
  }
}
