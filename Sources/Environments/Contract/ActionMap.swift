/// Which real action does what a latent action does (Genie, section 3.3 and appendix E).
///
/// It is fitted on a few transitions whose real action is known: each latent action goes to the real one that leads to it
/// most reliably.
public struct ActionMap: Codable, Sendable, Equatable {
  /// As many labelled transitions as the paper needs.
  public static let sampleLimit = 200

  /// For each latent action, the real one.
  public var real: [Int32]
  /// Names of the real actions; may be empty.
  public var names: [String]
  /// Labelled transitions that told.
  public var samples: Int
  /// `[latent, real]`: how often they went together; nil where nobody kept it.
  public var counts: [[Int]]?

  public init(real: [Int32], names: [String] = [], samples: Int, counts: [[Int]]? = nil) {
    self.real = real
    self.names = names
    self.samples = samples
    self.counts = counts
  }

  /// The real action that is followed by each latent action the most often, as a share of its own presses.
  ///
  /// The mere majority would be wrong: who presses "right" all day also presses it against walls, and then
  /// "right" accompanies standing still more often than doing nothing does. A latent action that no sample shows gets the
  /// real action that is commonest of all.
  /// - Parameters:
  ///   - pairs: latent and real action of each labelled transition; those out of range tell nothing.
  ///   - limit: pairs after so many are not looked at.
  public init(
    pairs: [(latent: Int32, real: Int32)], latentCount: Int, realCount: Int, names: [String] = [],
    limit: Int = ActionMap.sampleLimit
  ) {
    let pairs = pairs.prefix(limit)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: realCount), count: latentCount)
    for pair in pairs
    where (0..<Int32(latentCount)).contains(pair.latent) && (0..<Int32(realCount)).contains(pair.real) {
      counts[Int(pair.latent)][Int(pair.real)] += 1
    }
    func commonest<Number: Comparable>(_ row: [Number]) -> Int32 {
      Int32(row.indices.max { (row[$0], -$0) < (row[$1], -$1) } ?? 0)
    }
    let overall = (0..<realCount).map { real in counts.reduce(0) { $0 + $1[real] } }
    real = counts.map { row in
      if row.allSatisfy({ $0 == 0 }) { return commonest(overall) }
      // One more press of each keeps a single lucky sample from deciding.
      return commonest(row.indices.map { Double(row[$0]) / Double(overall[$0] + 1) })
    }
    self.names = names
    samples = overall.reduce(0, +)
    self.counts = counts
  }

  /// The way back: for each real action, the latent one that was seen with it the most often of those that go to it.
  /// - Returns: a map from real to latent actions, with this one's names; nil where some real action has no latent one.
  public func inverse(realCount: Int) -> ActionMap? {
    var latent: [Int32] = []
    for action in 0..<Int32(realCount) {
      let candidates = real.indices.filter { real[$0] == action }
      // A file may hold fewer counts than actions.
      let seen = { (index: Int) in counts?.dropFirst(index).first?.dropFirst(Int(action)).first ?? 0 }
      guard let best = candidates.max(by: { seen($0) < seen($1) }) else { return nil }
      latent.append(Int32(best))
    }
    return ActionMap(real: latent, names: names, samples: samples)
  }

  /// The real action of a latent one.
  public func callAsFunction(_ latent: Int32) -> Int32 { real[Int(latent)] }
}
