import Environments
import Foundation

/// What a page is answered. Frames and sheets are binary, little-endian, one message each; all else is JSON.
enum Reply {
  case welcome(Welcome)
  case frame(FrameReply)
  case sheet(Sheet)
  case done
  case refused(PlayError)
}

/// What there is to play.
struct Welcome: Codable, Equatable {
  var name: String
  var height: Int
  var width: Int
  var actions: Int
  /// Either empty or one for each action.
  var actionNames: [String]
  var frameRate: Double
  var horizon: Int?
  /// Nil where any number is a level.
  var levels: Int?
  /// Whether a start without level and picture is a level of the world's own.
  var dreamsLevels: Bool
  /// Frames of a picture to start from; 0 where a start takes none.
  var promptLimit: Int
  var players: [String]
  var tunings: [Tuning]
  var charts: [String]
}

/// A frame and how it came about.
///
/// `[1, world, flags, actions]`, the frame's number (UInt32), the action that led to it (Int32, -1 at the
/// start), then as Float32: reward, log-likelihood, entropy, value, milliseconds at the server, then a
/// probability for each of `actions`, then the pixels `[height, width, 3]`, then where there is a chart (flag
/// 8) its rows and columns (UInt16 each) and values. Flags: 1 terminated, 2 truncated, 4 the player decides
/// next, 8 chart. What is not known is NaN.
struct FrameReply {
  var world: Int
  var number: Int
  var action: Int32?
  var reward: Float = 0
  var terminated = false
  var truncated = false
  var logLikelihood = Float.nan
  var entropy = Float.nan
  var milliseconds: Float = 0
  var decision: Decision?
  var pixels: [UInt8]
  var chart: FrameChart?

  var bytes: Data {
    let probabilities = decision?.probabilities ?? []
    var data = Data(capacity: 32 + 4 * probabilities.count + pixels.count + (chart?.values.count ?? 0) * 4)
    let flags: UInt8 =
      (terminated ? 1 : 0) | (truncated ? 2 : 0) | (decision == nil ? 0 : 4) | (chart == nil ? 0 : 8)
    data.append(contentsOf: [1, UInt8(world), flags, UInt8(clamping: probabilities.count)])
    data.append(little: UInt32(number))
    data.append(little: action ?? -1)
    for value in [reward, logLikelihood, entropy, decision?.value ?? .nan, milliseconds] {
      data.append(little: value.bitPattern)
    }
    for value in probabilities.prefix(255) { data.append(little: value.bitPattern) }
    data.append(contentsOf: pixels)
    if let chart {
      data.append(little: UInt16(clamping: chart.rows))
      data.append(little: UInt16(clamping: chart.columns))
      for value in chart.values { data.append(little: value.bitPattern) }
    }
    return data
  }
}

/// Frames in rows: `[2, 0]`, rows and columns (UInt16 each), two bytes of nothing, then the pixels of each
/// frame.
struct Sheet {
  var rows: Int
  var columns: Int
  /// `[rows, columns, height, width, 3]`
  var pixels: [UInt8]

  var bytes: Data {
    var data = Data(capacity: 8 + pixels.count)
    data.append(contentsOf: [2, 0])
    data.append(little: UInt16(clamping: rows))
    data.append(little: UInt16(clamping: columns))
    data.append(contentsOf: [0, 0])
    data.append(contentsOf: pixels)
    return data
  }
}

extension Data {
  fileprivate mutating func append(little value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
