import Autograd
import Testing

@Suite struct ArithmeticTests {
  private let x = Tensor.random([2, 3, 4, 5], seed: 1)
  private let y = Tensor.random([2, 3, 4, 5], seed: 2)
  private let scale = Tensor.random([2, 3, 5], seed: 3)
  private let shift = Tensor.random([2, 3, 5], seed: 4)

  @Test func addition() {
    let tape = dirtyTape(recording: false)
    let sum = tape.add(tape.constant(x), tape.constant(y), scale: -0.5).value
    expectClose(sum.values, zip(x.values, y.values).map { $0 - 0.5 * $1 })
    GradientCheck()([x, y]) { $0.add($1[0], $1[1]) }
    GradientCheck()([x, y]) { $0.add($1[0], $1[1], scale: -0.5) }
    GradientCheck()([x]) { $0.add($1[0], $1[0], scale: 3) }
  }

  @Test func scaling() {
    let tape = dirtyTape(recording: false)
    let expected = x.values.map { -2 * $0 }
    #expect(tape.scale(tape.constant(x), by: -2).value.values == expected)
    GradientCheck()([x]) { $0.scale($1[0], by: -2) }
  }

  @Test func reshaping() {
    GradientCheck()([x]) { $0.reshape($1[0], [6, 20]) }
  }

  @Test func modulation() {
    let tape = dirtyTape(recording: false)
    let result = tape.modulate(tape.constant(x), scale: tape.constant(scale), shift: tape.constant(shift))
      .value
    let expected = (0..<x.count).map { place in
      let own = place / 20 * 5 + place % 5
      return x[place] * (1 + scale[own]) + shift[own]
    }
    expectClose(result.values, expected)
    GradientCheck()([x, scale, shift]) { $0.modulate($1[0], scale: $1[1], shift: $1[2]) }
    GradientCheck()([x, shift]) { $0.modulate($1[0], scale: nil, shift: $1[1]) }
  }

  @Test func concatenation() {
    let other = Tensor.random([2, 3, 4, 2], seed: 5)
    let tape = dirtyTape(recording: false)
    let result = tape.concatenate(tape.constant(x), tape.constant(other)).value
    #expect(result.shape == [2, 3, 4, 7])
    let expected = (0..<168).map { place in
      let (row, column) = (place / 7, place % 7)
      return column < 5 ? x[row * 5 + column] : other[row * 2 + column - 5]
    }
    #expect(result.values == expected)
    GradientCheck()([x, other]) { $0.concatenate($1[0], $1[1]) }
  }

  @Test func bilinearForms() {
    let z = Tensor.random([2, 3, 2], seed: 6)
    let tape = dirtyTape(recording: false)
    let result = tape.bilinear(tape.constant(x), tape.constant(z)).value
    #expect(result.shape == [2, 3, 4, 15])
    let expected = (0..<360).map { place in
      let (row, column) = (place / 15, place % 15)
      let value = x[row * 5 + column % 5]
      return column < 5 ? value : value * z[row / 4 * 2 + column / 5 - 1]
    }
    #expect(result.values == expected)
    GradientCheck()([x, z]) { $0.bilinear($1[0], $1[1]) }
  }

  @Test func channels() {
    let tape = dirtyTape(recording: false)
    let expected = (0..<72).map { place in x[place / 3 * 5 + place % 3 + 1] }
    #expect(tape.channels(tape.constant(x), 1..<4).value.values == expected)
    GradientCheck()([x]) { $0.channels($1[0], 1..<4) }
    GradientCheck()([x]) { $0.concatenate($0.channels($1[0], 2..<5), $0.channels($1[0], 0..<3)) }
  }

  @Test func spreading() {
    let tape = dirtyTape(recording: false)
    let result = tape.spread(tape.constant(shift), tokens: 4).value
    #expect(result.shape == [2, 3, 4, 5])
    let expected = (0..<120).map { place in shift[place / 20 * 5 + place % 5] }
    #expect(result.values == expected)
    GradientCheck()([shift]) { $0.spread($1[0], tokens: 4) }
  }
}
