import CKernels
import Testing

@Suite struct ClassificationTests {
  static let sizes = [(1, 1), (1, 7), (3, 16), (5, 33), (9, 512), (4, 1000)]

  // MARK: - Cross-entropy

  @Test(arguments: sizes) func crossEntropyAgreesWithReference(rows: Int, classes: Int) {
    var samples = Samples(seed: 1)
    let logits = samples.floats(rows * classes, scale: 5)
    var targets = samples.codes(rows, below: classes)
    ck_reference_argmax_rows(logits, &targets, (rows + 1) / 2, classes)  // so that some are right
    for weights in [nil, samples.uniforms(rows), [Float](repeating: 0, count: rows)] {
      var gradients = [logits, logits]
      var correct = [-1, -1]
      let loss = ck_cross_entropy(logits, targets, weights, 0.25, &gradients[0], &correct[0], rows, classes)
      let expected = ck_reference_cross_entropy(
        logits, targets, weights, 0.25, &gradients[1], &correct[1], rows, classes)
      #expect(abs(loss - expected) <= 1e-6 * (1 + abs(expected)))
      #expect(correct[0] == correct[1])
      expectClose(gradients[0], gradients[1], tolerance: 5e-7)

      var aliased = logits
      aliased.withUnsafeMutableBufferPointer {
        _ = ck_cross_entropy($0.baseAddress, targets, weights, 0.25, $0.baseAddress, nil, rows, classes)
      }
      #expect(aliased == gradients[0])
      #expect(ck_cross_entropy(logits, targets, weights, 0.25, nil, nil, rows, classes) == loss)
    }
  }

  @Test func zeroWeightsGiveNothing() {
    var gradient: [Float] = [9, 9, 9, .nan, .infinity, 9]
    var correct = -1
    let loss = ck_cross_entropy(
      [0, 1, 2, .nan, .infinity, 0], [2, 1], [0, 0], 1, &gradient, &correct, 2, 3)
    #expect(loss == 0 && correct == 0 && gradient == [Float](repeating: 0, count: 6))
  }

  @Test func extremeLogitsStayFinite() {
    let logits: [Float] = [1e30, -1e30, 0, -.infinity, 1e4, 1e4]
    var gradient = logits
    var correct = 0
    let loss = ck_cross_entropy(logits, [0, 2], nil, 1, &gradient, &correct, 2, 3)
    expectClose(gradient, [0, 0, 0, 0, 0.5, -0.5])
    #expect(abs(loss - 0.693147) < 1e-5)
    #expect(correct == 1, "of equal logits the first is the arg-max")
  }

  // MARK: - Softmax and arg-max

  @Test(arguments: sizes) func softmaxAgreesWithReference(rows: Int, classes: Int) {
    var samples = Samples(seed: 2)
    let x = samples.floats(rows * classes, scale: 20)
    var y = x
    var expected = x
    y.withUnsafeMutableBufferPointer { ck_softmax($0.baseAddress, $0.baseAddress, rows, classes) }
    ck_reference_softmax(x, &expected, rows, classes)
    expectClose(y, expected, tolerance: 5e-7)

    var codes = [Int32](repeating: -1, count: rows)
    var expectedCodes = codes
    ck_argmax_rows(x, &codes, rows, classes)
    ck_reference_argmax_rows(x, &expectedCodes, rows, classes)
    #expect(codes == expectedCodes)
  }

  @Test func argmaxTakesTheFirstOfEquals() {
    var x = [Float](repeating: -3, count: 40)
    x[5] = 2
    x[21] = 2
    var code: Int32 = -1
    ck_argmax_rows(x, &code, 1, 40)
    #expect(code == 5)
    ck_argmax_rows([.nan, .nan], &code, 1, 2)
    #expect(code == 0, "an index in range whatever the row holds")
  }

  // MARK: - Sampling

  struct Draw: Equatable {
    var codes: [Int32]
    var logLikelihoods: [Float]
    var entropies: [Float]
  }

  func draw(_ logits: [Float], _ uniforms: [Float], temperature: Float, least: Float = 0, classes: Int)
    -> Draw
  {
    let rows = uniforms.count
    var draw = Draw(
      codes: [Int32](repeating: -1, count: rows), logLikelihoods: [Float](repeating: .nan, count: rows),
      entropies: [Float](repeating: .nan, count: rows))
    var scratch = [Float](repeating: .nan, count: classes)
    ck_sample_rows(
      logits, uniforms, temperature, least, &draw.codes, &draw.logLikelihoods, &draw.entropies, &scratch,
      rows,
      classes)
    return draw
  }

  @Test(arguments: sizes, [0, 0.5, 1, 2] as [Float])
  func samplingAgreesWithReference(size: (Int, Int), temperature: Float) {
    let (rows, classes) = size
    var samples = Samples(seed: 3)
    let logits = samples.floats(rows * classes, scale: 4)
    let uniforms = samples.uniforms(rows)
    let actual = draw(logits, uniforms, temperature: temperature, classes: classes)
    var codes = [Int32](repeating: -1, count: rows)
    var logLikelihoods = [Float](repeating: 0, count: rows)
    var entropies = logLikelihoods
    ck_reference_sample_rows(
      logits, uniforms, temperature, &codes, &logLikelihoods, &entropies, nil, rows, classes)
    #expect(actual.codes == codes, "no uniform number here is within rounding of a boundary")
    expectClose(actual.logLikelihoods, logLikelihoods)
    expectClose(actual.entropies, entropies)
  }

  @Test func whatIsAllButExcludedIsNotDrawn() {
    // The likeliest, one e^-2 (0.135) times as likely, one e^-4 (0.018) times.
    let logits = (0..<4000).flatMap { _ in [-2, 0, -4] as [Float] }
    var samples = Samples(seed: 5)
    let uniforms = samples.uniforms(4000)
    for (least, temperature, kept) in [(0, 1, 3), (0.02, 1, 2), (0.2, 1, 1), (0.02, 3, 2)]
      as [(Float, Float, Int)]
    {
      let codes = draw(logits, uniforms, temperature: temperature, least: least, classes: 3).codes
      #expect(Set(codes).count == kept, "\(least) at temperature \(temperature)")
    }
    let codes = draw(logits, uniforms, temperature: 1, least: 0.02, classes: 3).codes
    let share = Float(codes.count { $0 == 0 }) / 4000
    #expect(abs(share - 0.1192) < 0.02, "what is kept keeps its odds")
  }

  @Test func samplesFollowTheDistribution() {
    let logits: [Float] = [0, 1, -.infinity, 2]
    let rows = 20_000
    var samples = Samples(seed: 4)
    let repeated = (0..<rows).flatMap { _ in logits }
    let codes = draw(repeated, samples.uniforms(rows), temperature: 2, classes: 4).codes
    var expected = [Float](repeating: 0, count: 4)
    ck_reference_softmax(logits.map { $0 / 2 }, &expected, 1, 4)
    for code in 0..<4 {
      let share = Float(codes.count { $0 == code }) / Float(rows)
      #expect(abs(share - expected[code]) < 0.015)
    }
    #expect(!codes.contains(2))
  }

  @Test func edgesOfTheUnitIntervalStayInRange() {
    // Impossible classes at both ends, in a row long enough for several vectors.
    var logits = [Float](repeating: -.infinity, count: 50)
    logits[20] = 1
    logits[40] = 1
    let below = Float(1).nextDown
    let both = draw(logits + logits, [0, below], temperature: 1, classes: 50)
    #expect(both.codes == [20, 40])
    expectClose(both.entropies, [0.6931472, 0.6931472])
    let extreme: [Float] = [1e30, -1e30, 0, .nan, .nan, .nan]
    let draws = draw(extreme, [0.5, 0.5], temperature: 1e-38, classes: 3)
    #expect(draws.codes[0] == 0 && (0..<3).contains(draws.codes[1]))
    #expect(draws.logLikelihoods[0] == 0 && draws.entropies[0] == 0)
  }

  @Test func rowsAreIndependent() {
    var samples = Samples(seed: 5)
    let classes = 77
    let logits = samples.floats(13 * classes, scale: 3)
    let uniforms = samples.uniforms(13)
    let whole = draw(logits, uniforms, temperature: 1.3, classes: classes)
    for row in 0..<13 {
      let one = draw(
        Array(logits[row * classes..<(row + 1) * classes]), [uniforms[row]], temperature: 1.3,
        classes: classes)
      #expect(one.codes[0] == whole.codes[row])
      #expect(one.logLikelihoods[0] == whole.logLikelihoods[row])
      #expect(one.entropies[0] == whole.entropies[row])
    }
  }
}
