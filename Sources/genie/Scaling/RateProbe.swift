import Autograd
import Foundation
import Reporting
import Video
import WorldModel

/// Measures, in a few seconds, what plans are made from.
struct RateProbe {
  private let workers: Workers
  private let precision: Precision
  private let style: ProgressBar.Style

  init(workers: Int, precision: Precision, style: ProgressBar.Style) {
    self.workers = Workers(count: workers)
    self.precision = precision
    self.style = style
  }

  /// Floating-point operations a second of training steps of a model of 6 blocks of 512 channels.
  func trainingFlops() -> Double {
    let dynamics = DynamicsConfiguration(
      vocabulary: 1024, channels: 512, blocks: 6, heads: 8, window: 16, conditioning: .additive)
    let bar = ProgressBar("measuring", total: 4, unit: "steps", style: style)
    let benchmark = DynamicsBenchmark(
      dynamics, clips: workers.count, time: 16, workers: workers, precision: precision)
    // The first step finds out how much memory it takes.
    benchmark.step()
    let times = (1...4).map { step in
      defer { bar.update(to: step) }
      return Stopwatch.seconds { benchmark.step() }
    }
    bar.finish()
    return benchmark.flopsPerStep / Stopwatch.median(times)
  }

  /// Frames a second that are imported from a video of 640 x 360 at 30 a second, kept at 10, by as many imports at a time
  /// as there are workers; nil where there is no ffmpeg.
  func importFrames() throws -> Double? {
    let folder = FileManager.default.temporaryDirectory.appending(path: "genie-plan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let key = RandomKey(seed: 1)
    let frames = (0..<240).map { frame in
      // Squares that move, so that there is something to decode.
      var pixels = [UInt8](repeating: 90, count: 640 * 360 * 3)
      for square in 0..<24 {
        let x = (key.integer(UInt64(square), below: 600) + frame * (square % 5 - 2) + 6000) % 600
        let y = key.integer(UInt64(100 + square), below: 320)
        for row in y..<y + 40 {
          for i in (row * 640 + x) * 3..<(row * 640 + x + 40) * 3 { pixels[i] = UInt8(40 + square * 8) }
        }
      }
      return Picture(height: 360, width: 640, pixels: pixels)
    }
    let inputs = (0..<workers.count).map { folder.appending(path: "video-\($0).mp4") }
    do throws(MovieError) {
      try Movie(frames, framesPerSecond: 30).write(to: inputs[0])
    } catch {
      if case .noFFmpeg = error { return nil }
      throw error
    }
    for copy in inputs.dropFirst() { try FileManager.default.copyItem(at: inputs[0], to: copy) }
    var read = 0
    let seconds = try Stopwatch.seconds {
      let importer = VideoImport(ImportOptions(framesPerSecond: 10), workers: workers.count)
      read = try importer.run(inputs, to: folder.appending(path: "clips")).total.read
    }
    return Double(read) / seconds
  }
}
