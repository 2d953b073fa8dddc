import Autograd
import NeuralNetwork
import Testing

@Suite struct KMeansTests {
  @Test func plantedClustersAreFound() {
    // Around the four axes, of 10, 20, 30 and 40 vectors.
    let key = RandomKey(seed: 1)
    let width = 4
    var vectors: [Float] = []
    for cluster in 0..<4 {
      for index in 0..<10 * (cluster + 1) {
        let own = key.folded(in: UInt64(cluster)).folded(in: UInt64(index))
        var row = (0..<width).map { ($0 == cluster ? 1 : 0) + 0.1 * own.normal(UInt64($0)) }
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        row = row.map { $0 / length }
        vectors += row
      }
    }
    let (centres, shares) = KMeans.spherical(vectors, width: width, clusters: 4, key: RandomKey(seed: 2))
    var found: Set<Int> = []
    for cluster in 0..<4 {
      let row = centres[cluster * width..<(cluster + 1) * width].map { $0 }
      #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      let axis = row.indices.max { row[$0] < row[$1] }!
      #expect(row[axis] > 0.98)
      #expect(abs(shares[cluster] - 0.1 * Float(axis + 1)) < 1e-4)
      found.insert(axis)
    }
    #expect(found.count == 4)
    let again = KMeans.spherical(vectors, width: width, clusters: 4, key: RandomKey(seed: 2))
    #expect(again.centres == centres)
  }

  @Test func fewerVectorsThanClusters() {
    let (centres, shares) = KMeans.spherical([1, 0, 0, 1], width: 2, clusters: 5, key: RandomKey(seed: 1))
    #expect(centres.count == 10 && shares.count == 5)
    #expect(centres.allSatisfy { $0.isFinite })
    #expect(abs(shares.reduce(0, +) - 1) < 1e-6)
  }
}
