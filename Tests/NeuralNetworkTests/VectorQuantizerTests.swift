import Autograd
import NeuralNetwork
import Testing

@Suite struct VectorQuantizerTests {
  private let codes = 5
  private let width = 4

  private func quantizer(decay: Float = 0.9, deadBelow: Float = 0.01) -> VectorQuantizer {
    VectorQuantizer(
      .init(codes: codes, width: width, decay: decay, deadBelow: deadBelow, commitment: 0.25),
      key: RandomKey(seed: 1))
  }

  private func unit(_ rows: Int, seed: UInt64) -> Tensor {
    let tape = Tape(arena: Arena())
    let values = tape.normalize(tape.constant(.random([rows, width], seed: seed))).value.values
    return Tensor(values, shape: [rows, width])
  }

  /// Shows vectors to the quantizer as a training step does.
  private func show(_ vectors: Tensor, to quantizer: VectorQuantizer, key: UInt64 = 3, revive: Bool = true)
    -> [Int32]
  {
    let statistics = QuantizerStatistics()
    let tape = Tape(arena: Arena())
    let codes = quantizer(tape, tape.constant(vectors), scale: 1, statistics: statistics).codes
    quantizer.update([statistics], key: RandomKey(seed: key), revive: revive)
    return codes
  }

  private func row(_ tensor: Tensor, _ index: Int) -> [Float] {
    Array(tensor.values[index * width..<(index + 1) * width])
  }

  private func length(_ row: [Float]) -> Float { row.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  @Test func codesBeginAsUnitVectors() {
    let quantizer = quantizer()
    for code in 0..<codes { #expect(abs(length(row(quantizer.codebook, code)) - 1) < 1e-6) }
    #expect(!quantizer.isPlaced)
  }

  @Test func nearestCodes() {
    let (quantizer, vectors) = (quantizer(), unit(40, seed: 2))
    let expected = (0..<40).map { vector in
      (0..<codes).min { left, right in
        func distance(_ code: Int) -> Float {
          zip(row(vectors, vector), row(quantizer.codebook, code)).reduce(0) {
            $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
          }
        }
        return distance(left) < distance(right)
      }!
    }
    #expect(quantizer.nearest(vectors, arena: Arena()) == expected.map { Int32($0) })
    #expect(Set(expected).count > 1)
    let looked = quantizer.vectors([4, 0], shape: [2], arena: Arena())
    #expect(looked.values == row(quantizer.codebook, 4) + row(quantizer.codebook, 0))
  }

  @Test func theFirstBatchPlacesTheCodes() {
    let (quantizer, vectors) = (quantizer(), unit(8, seed: 2))
    _ = show(vectors, to: quantizer)
    #expect(quantizer.isPlaced)
    let rows = (0..<8).map { row(vectors, $0) }
    var chosen: Set<Int> = []
    for code in 0..<codes {
      let place = rows.firstIndex {
        zip($0, row(quantizer.codebook, code)).allSatisfy { abs($0 - $1) < 1e-6 }
      }
      #expect(place != nil, "code \(code) is no vector of the batch")
      chosen.insert(place ?? -1)
    }
    #expect(chosen.count == codes, "two codes on one vector")
    #expect(quantizer.uses.values == [Float](repeating: 8 / 5, count: codes))
  }

  /// A dead code goes where a vector is far from its code, and not where a code is seldom used.
  @Test func deadCodesGoWhereVectorsAreServedWorst() {
    let quantizer = quantizer()
    quantizer.place(
      centres: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, -1, 0, 0, 0], uses: [4, 36, 8, 8, 0.05])
    let far: [Float] = [0, 0.6, 0.56, 0.5713]
    let vectors = Tensor((0..<40).flatMap { $0 % 2 == 0 ? [1, 0, 0, 0] : far }, shape: [40, 4])
    #expect(Set(show(vectors, to: quantizer)) == [0, 1])
    for (value, expected) in zip(row(quantizer.codebook, 4), far) { #expect(abs(value - expected) < 1e-3) }
  }

  @Test func moreCodesThanVectors() {
    let (quantizer, vectors) = (quantizer(), unit(2, seed: 2))
    _ = show(vectors, to: quantizer)
    #expect(Set((0..<codes).map { row(quantizer.codebook, $0) }).count == codes)
    for code in 0..<codes { #expect(abs(length(row(quantizer.codebook, code)) - 1) < 1e-5) }
  }

  @Test func codesAreRunningMeans() {
    let quantizer = quantizer(deadBelow: 0)
    _ = show(unit(8, seed: 2), to: quantizer)
    var uses = quantizer.uses.values
    var sums = quantizer.sums.values
    for step in 0..<4 {
      let vectors = unit(16, seed: 10 + UInt64(step))
      let assigned = show(vectors, to: quantizer)
      for i in uses.indices { uses[i] *= 0.9 }
      for i in sums.indices { sums[i] *= 0.9 }
      for (index, code) in assigned.enumerated() {
        uses[Int(code)] += 0.1
        for c in 0..<width { sums[Int(code) * width + c] += 0.1 * vectors[index * width + c] }
      }
    }
    expectClose(quantizer.uses.values, uses)
    expectClose(quantizer.sums.values, sums)
    for code in 0..<codes {
      let own = Array(sums[code * width..<(code + 1) * width])
      expectClose(row(quantizer.codebook, code), own.map { $0 / length(own) })
    }
  }

  @Test func workersAreReducedInOrder() {
    let vectors = unit(12, seed: 5)
    let (one, two) = (quantizer(), quantizer())
    for quantizer in [one, two] { _ = show(unit(8, seed: 2), to: quantizer) }
    _ = show(vectors, to: one)
    let statistics = [QuantizerStatistics(), QuantizerStatistics()]
    for (index, range) in [0..<7, 7..<12].enumerated() {
      let tape = Tape(arena: Arena())
      _ = two(tape, tape.constant(vectors.slice(range)), scale: 1, statistics: statistics[index])
    }
    two.update(statistics, key: RandomKey(seed: 3))
    #expect(one.codebook.values == two.codebook.values)
    #expect(one.uses.values == two.uses.values)
  }

  @Test func deadCodesAreRevived() {
    let quantizer = quantizer(decay: 0.5, deadBelow: 0.1)
    _ = show(unit(8, seed: 2), to: quantizer)
    // All vectors at one code: the others die, and come back among the vectors.
    let vectors = Tensor((0..<64).flatMap { _ in row(quantizer.codebook, 0) }, shape: [64, width])
    let kept = (1..<codes).map { row(quantizer.codebook, $0) }
    for step in 0..<3 { _ = show(vectors, to: quantizer, key: UInt64(step), revive: false) }
    for code in 1..<codes { expectClose(row(quantizer.codebook, code), kept[code - 1]) }
    for step in 0..<6 { _ = show(vectors, to: quantizer, key: UInt64(step)) }
    for code in 1..<codes { expectClose(row(quantizer.codebook, code), row(vectors, 0)) }
  }

  /// However long a code is not used, it stays a unit vector: a shorter one would be nearer to what is far
  /// from all.
  @Test func unusedCodesStayUnitVectors() {
    let quantizer = quantizer(decay: 0.5)
    _ = show(unit(8, seed: 2), to: quantizer)
    let vectors = Tensor((0..<64).flatMap { _ in row(quantizer.codebook, 0) }, shape: [64, width])
    let kept = (1..<codes).map { row(quantizer.codebook, $0) }
    for _ in 0..<200 { _ = show(vectors, to: quantizer, revive: false) }
    for code in 1..<codes { expectClose(row(quantizer.codebook, code), kept[code - 1]) }
  }

  @Test func gradientsPassStraightThroughAndCommit() {
    let quantizer = quantizer()
    let (x, target) = (Tensor.random([6, width], seed: 4), Tensor.random([6, width], seed: 5))
    let tape = Tape(arena: Arena(), gradients: Gradients(Parameters(seed: 0)))
    let input = tape.input(x)
    let (vectors, codes, commitment) = quantizer(tape, input, scale: 0.5, statistics: nil)
    #expect(vectors.value.values == codes.flatMap { row(quantizer.codebook, Int($0)) })
    let error = tape.squaredError(vectors, target, scale: 1)
    tape.backward(from: tape.add(error, commitment))

    // The same by hand: what the unit vectors would get if they were the quantized ones, and a pull to these.
    let other = Tape(arena: Arena(), gradients: Gradients(Parameters(seed: 0)))
    let again = other.input(x)
    let unit = other.normalize(again)
    let pull = (0..<6 * width).map { unit.value[$0] - vectors.value[$0] }
    expectClose([commitment.value[0]], [0.125 * pull.reduce(0) { $0 + $1 * $1 }])
    let gradient = (0..<6 * width).map { 2 * (vectors.value[$0] - target[$0]) + 0.25 * pull[$0] }
    other.backward(from: unit, gradient: Tensor(gradient, shape: [6, width]))
    expectClose(tape.gradient(of: input)!.values, other.gradient(of: again)!.values)
  }

  @Test func theStateIsAll() {
    let (one, two) = (quantizer(), quantizer())
    for step in 0..<3 { _ = show(unit(16, seed: UInt64(step)), to: one) }
    let target = two.state("q")
    for (name, tensor) in one.state("q") { target[name]!.copy(from: tensor) }
    #expect(two.isPlaced)
    let vectors = unit(16, seed: 9)
    #expect(show(vectors, to: one) == show(vectors, to: two))
    #expect(one.codebook.values == two.codebook.values)
  }
}
