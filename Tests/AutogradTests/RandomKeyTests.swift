import Autograd
import Foundation
import Testing

@Suite struct RandomKeyTests {
  /// Worlds are remembered by their seeds: the numbers of a key may never change.
  @Test func numbersAreTheSameForever() {
    let zero = RandomKey(seed: 0)
    #expect(zero.bits(0) == 0x3b9d_11eb_5585_6baf)
    #expect(zero.bits(1) == 0x871b_275e_2c98_3e04)
    #expect(zero.bits(.max) == 0x8150_5654_da05_6b01)
    #expect(RandomKey(seed: .max).bits(0) == 0x15c2_9ca3_a6e8_35e8)
    let key = RandomKey(seed: 42)
    #expect(key.folded(in: 7).state == 0x14e9_0ec1_496b_a871)
    #expect(key.folded(in: "weight").state == 0xa15c_9ee5_3087_aa51)
    #expect(key.uniform(3) == 0.8916299939155579)
    #expect(key.integer(3, below: 10) == 8)
    #expect(abs(key.normal(3) - 0.47861471) < 1e-6)
    #expect(key.permutation(8) == [2, 1, 5, 4, 6, 0, 7, 3])
  }

  @Test func keysDiffer() {
    let key = RandomKey(seed: 1)
    let keys = [
      key, RandomKey(seed: 2), key.folded(in: 0), key.folded(in: 1), key.folded(in: "a"), key.folded(in: "b"),
    ]
    #expect(Set(keys.map { $0.bits(0) }).count == keys.count)
    #expect(key.folded(in: 1).folded(in: 2) != key.folded(in: 2).folded(in: 1))
    #expect(Set((0..<10_000).map { key.bits($0) }).count == 10_000)
  }

  @Test func uniformNumbers() {
    let key = RandomKey(seed: 3)
    let numbers = (0..<100_000).map { Double(key.uniform($0)) }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    let mean = numbers.reduce(0, +) / 100_000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
    #expect(abs(mean - 0.5) < 0.004)
    #expect(abs(variance - 1.0 / 12) < 0.001)
    // Neighbours are independent.
    let pairs = zip(numbers, numbers.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / 100_000
    #expect(abs(pairs) < 0.001)
  }

  @Test func normalNumbers() {
    let key = RandomKey(seed: 4)
    let numbers = (0..<100_000).map { Double(key.normal($0)) }
    let mean = numbers.reduce(0, +) / 100_000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
    #expect(abs(mean) < 0.013)
    #expect(abs(variance - 1) < 0.02)
    #expect(abs(Double(numbers.count { abs($0) > 1.96 }) / 100_000 - 0.05) < 0.004)
  }

  @Test func integersAreEvenlySpread() {
    let key = RandomKey(seed: 5)
    var counts = [Int](repeating: 0, count: 7)
    for counter in 0..<70_000 { counts[key.integer(UInt64(counter), below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
  }

  @Test func permutations() {
    for count in [0, 1, 2, 100] {
      #expect(RandomKey(seed: 6).permutation(count).sorted() == Array(0..<count))
    }
    // Each element comes first equally often.
    var firsts = [Int](repeating: 0, count: 5)
    for seed in 0..<5000 { firsts[RandomKey(seed: UInt64(seed)).permutation(5)[0]] += 1 }
    #expect(firsts.allSatisfy { abs($0 - 1000) < 150 })
  }

  @Test func keysTravelAsJSON() throws {
    let key = RandomKey(seed: 7).folded(in: "x")
    #expect(try JSONDecoder().decode(RandomKey.self, from: JSONEncoder().encode(key)) == key)
  }
}
