/// What an import read, kept and dropped.
public struct CurationReport: Sendable, Equatable {
  /// Counts of frames, unless named otherwise.
  public struct Counts: Sendable, Equatable, Codable {
    public var read = 0
    public var kept = 0
    public var droppedBlack = 0
    public var droppedFrozen = 0
    /// In episodes that were too short.
    public var droppedShort = 0
    /// Scene changes found.
    public var cuts = 0
    /// Episodes kept.
    public var episodes = 0

    static func + (left: Counts, right: Counts) -> Counts {
      Counts(
        read: left.read + right.read, kept: left.kept + right.kept,
        droppedBlack: left.droppedBlack + right.droppedBlack,
        droppedFrozen: left.droppedFrozen + right.droppedFrozen,
        droppedShort: left.droppedShort + right.droppedShort, cuts: left.cuts + right.cuts,
        episodes: left.episodes + right.episodes)
    }
  }

  /// Why frames were dropped, or an episode ended.
  public enum Reason: String, Sendable, CaseIterable {
    case black, frozen, cut
    case tooShort = "too short"
  }

  /// A frame to judge a decision by: of a cut, the frame before it and the one after.
  public struct Sample: Sendable, Equatable {
    public let reason: Reason
    /// Of the source, from 0.
    public let frame: Int
    public let pictures: [Picture]
  }

  /// One input file or folder of pictures.
  public struct Source: Sendable, Equatable {
    public let path: String
    /// The rate of the frames kept, nil if nobody knows.
    public let framesPerSecond: Double?
    public let counts: Counts
    /// The first few of each reason.
    public internal(set) var samples: [Sample]
    /// The last complaint of a decoder that went on nevertheless.
    public let warning: String?
  }

  public internal(set) var sources: [Source] = []

  /// What was dropped, and where episodes were cut, for a person to look at; nil where nothing was.
  public func sheet() -> Picture? {
    var sheet = ContactSheet(scale: 1, margin: 3)
    var isEmpty = true
    for reason in Reason.allCases {
      let samples = sources.flatMap(\.samples).filter { $0.reason == reason }
      guard !samples.isEmpty else { continue }
      isEmpty = false
      // Spread over the sources, as many as one can look at.
      let every = max(1, samples.count / 48)
      let shown = stride(from: 0, to: samples.count, by: every).flatMap { samples[$0].pictures }
      for start in stride(from: 0, to: shown.count, by: 16) {
        sheet.append(start == 0 ? reason.rawValue : "", Array(shown[start..<min(shown.count, start + 16)]))
      }
    }
    return isEmpty ? nil : sheet.picture()
  }

  /// All sources together.
  public var total: Counts { sources.reduce(Counts()) { $0 + $1.counts } }
}
