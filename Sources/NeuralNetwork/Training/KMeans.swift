import Autograd

/// k-means on the unit sphere: centres of unit vectors, by cosine.
public enum KMeans {
  /// - Parameters:
  ///   - vectors: `[count, width]`, rows of length 1.
  ///   - restarts: starts tried; the best is kept.
  /// - Returns: centres `[clusters, width]`, rows of length 1, and the share of vectors of each.
  public static func spherical(
    _ vectors: [Float], width: Int, clusters: Int, iterations: Int = 20, restarts: Int = 8, key: RandomKey
  ) -> (centres: [Float], shares: [Float]) {
    let count = vectors.count / width
    precondition(
      count >= 1 && vectors.count == count * width, "\(vectors.count) values are no rows of \(width)")
    var best: (score: Float, centres: [Float], shares: [Float])?
    for restart in 0..<restarts {
      let order = key.folded(in: UInt64(restart)).permutation(count)
      var centres = (0..<clusters).flatMap { cluster in
        let row = order[cluster % count]
        return vectors[row * width..<(row + 1) * width]
      }
      var shares = [Float](repeating: 0, count: clusters)
      var score: Float = 0
      for iteration in 0..<iterations {
        var sums = [Float](repeating: 0, count: clusters * width)
        shares = [Float](repeating: 0, count: clusters)
        score = 0
        for row in 0..<count {
          var (nearest, similarity) = (0, -Float.infinity)
          for cluster in 0..<clusters {
            var dot: Float = 0
            for c in 0..<width { dot += vectors[row * width + c] * centres[cluster * width + c] }
            if dot > similarity { (nearest, similarity) = (cluster, dot) }
          }
          shares[nearest] += 1 / Float(count)
          score += similarity
          for c in 0..<width { sums[nearest * width + c] += vectors[row * width + c] }
        }
        for cluster in 0..<clusters {
          if shares[cluster] == 0 {
            let row = key.integer(UInt64(restart * iterations + iteration), below: count)
            for c in 0..<width { sums[cluster * width + c] = vectors[row * width + c] }
          }
          var length: Float = 0
          for c in 0..<width { length += sums[cluster * width + c] * sums[cluster * width + c] }
          length = max(length.squareRoot(), 1e-12)
          for c in 0..<width { centres[cluster * width + c] = sums[cluster * width + c] / length }
        }
      }
      if best == nil || score > best!.score { best = (score, centres, shares) }
    }
    return (best!.centres, best!.shares)
  }
}
