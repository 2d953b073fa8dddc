import Autograd
import Video

/// Frames as bytes to patches as numbers, and back.
///
/// A patch is a row of `size * size * 3` values in order of (row, column, channel), a byte `b` being `b / 255 - 0.5`;
/// patches are in raster order.
public struct Patches: Sendable, Equatable {
  public let height: Int
  public let width: Int
  public let size: Int

  public init(height: Int, width: Int, size: Int) {
    precondition(
      size > 0 && height % size == 0 && width % size == 0, "patches of \(size) in \(height) x \(width)")
    self.height = height
    self.width = width
    self.size = size
  }

  public var rows: Int { height / size }
  public var columns: Int { width / size }
  public var count: Int { rows * columns }
  /// Values of a patch.
  public var channels: Int { size * size * 3 }

  /// - Parameters:
  ///   - frame: `[height, width, 3]`.
  ///   - target: room for `[count, channels]`.
  public func extract(_ frame: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>) {
    forEachRun { pixel, value in
      for i in 0..<size * 3 { target[value + i] = Float(frame[pixel + i]) * (1 / 255) - 0.5 }
    }
  }

  /// The same from numbers in 0...1 that already are frames.
  public func extract(_ frame: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    forEachRun { pixel, value in
      for i in 0..<size * 3 { target[value + i] = frame[pixel + i] - 0.5 }
    }
  }

  /// - Parameters:
  ///   - patches: `[range.count, channels]`, clamped to -0.5...0.5.
  ///   - range: which patches these are; nil for all.
  ///   - frame: room for `[height, width, 3]`; only what these patches show is written.
  public func assemble(
    _ patches: UnsafePointer<Float>, _ range: Range<Int>? = nil, into frame: UnsafeMutablePointer<UInt8>
  ) {
    let first = (range?.lowerBound ?? 0) * channels
    forEachRun(range) { pixel, value in
      for i in 0..<size * 3 {
        frame[pixel + i] = UInt8(min(1, max(0, patches[value - first + i] + 0.5)) * 255 + 0.5)
      }
    }
  }

  /// Every horizontal run of one patch: where it begins in a frame, and where among the patches' values.
  private func forEachRun(_ range: Range<Int>? = nil, _ body: (_ pixel: Int, _ value: Int) -> Void) {
    for patch in range ?? 0..<count {
      let (row, column) = (patch / columns, patch % columns)
      for y in 0..<size {
        body(((row * size + y) * width + column * size) * 3, patch * channels + y * size * 3)
      }
    }
  }
}

/// Consecutive frames of one or more clips: `[clips, time, height, width, 3]`, UInt8.
public struct FrameBatch: Sendable {
  public let clips: Int
  public let time: Int
  public let height: Int
  public let width: Int
  public let bytes: [UInt8]

  public init(clips: Int, time: Int, height: Int, width: Int, bytes: [UInt8]) {
    precondition(
      bytes.count == clips * time * height * width * 3, "\(bytes.count) bytes for \(clips) clips of \(time)")
    self.clips = clips
    self.time = time
    self.height = height
    self.width = width
    self.bytes = bytes
  }

  /// What a loader read.
  init(_ batch: ClipLoader.Batch, of loader: ClipLoader) {
    self.init(
      clips: batch.origins.count, time: loader.frames, height: loader.folder.height,
      width: loader.folder.width,
      bytes: batch.frames)
  }

  public var frameSize: Int { height * width * 3 }

  /// All patches, `[clips, time, patches, channels]`.
  public func patches(_ layout: Patches, arena: Arena) -> Tensor {
    precondition(layout.height == height && layout.width == width, "frames of \(height) x \(width)")
    let result = arena.tensor([clips, time, layout.count, layout.channels])
    bytes.withUnsafeBufferPointer { source in
      for frame in 0..<clips * time {
        layout.extract(
          source.baseAddress! + frame * frameSize,
          into: result.pointer + frame * layout.count * layout.channels)
      }
    }
    return result
  }

  /// Some of the clips.
  public func clips(_ range: Range<Int>) -> FrameBatch {
    let size = time * frameSize
    return FrameBatch(
      clips: range.count, time: time, height: height, width: width,
      bytes: Array(bytes[range.lowerBound * size..<range.upperBound * size]))
  }

  /// Some of the frames of every clip.
  public func frames(_ range: Range<Int>) -> FrameBatch {
    var part: [UInt8] = []
    part.reserveCapacity(clips * range.count * frameSize)
    for clip in 0..<clips {
      let start = clip * time * frameSize
      part += bytes[start + range.lowerBound * frameSize..<start + range.upperBound * frameSize]
    }
    return FrameBatch(clips: clips, time: range.count, height: height, width: width, bytes: part)
  }
}
