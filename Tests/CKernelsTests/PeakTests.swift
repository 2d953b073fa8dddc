import CKernels
import Testing

@Suite("Peak rate")
struct PeakTests {
  @Test("Twice the rounds are twice the work")
  func work() {
    let once = ck_peak_float32(1000)
    #expect(once >= 2 * 16 * 6 * 1000 && ck_peak_float32(2000) == 2 * once)
    let half = ck_peak_bfloat16(1000)
    #expect((half == 0) == (ck_has_bfloat16() == 0) && ck_peak_bfloat16(2000) == 2 * half)
  }

  @Test("No product is faster than the peak", arguments: [ck_float32, ck_bfloat16])
  func bound(precision: ck_precision) {
    let (m, n, k) = (192, 192, 192)
    let (a, b) = ([Float](repeating: 0.5, count: m * k), [Float](repeating: 0.5, count: k * n))
    var c = [Float](repeating: 0, count: m * n)
    func best(_ body: () -> Double) -> Double {
      (0..<9).map { _ in
        let start = ContinuousClock.now
        let work = body()
        return work / ((ContinuousClock.now - start) / .seconds(1))
      }.max()!
    }
    let isRounded = precision == ck_bfloat16 && ck_has_bfloat16() != 0
    let peak = best { isRounded ? ck_peak_bfloat16(200_000) : ck_peak_float32(200_000) }
    let product = best {
      ck_gemm(precision, 0, 0, m, n, k, 1, a, k, b, n, 0, &c, n, ck_epilogue())
      return 2 * Double(m * n * k)
    }
    #expect(product < 1.05 * peak)
  }
}
