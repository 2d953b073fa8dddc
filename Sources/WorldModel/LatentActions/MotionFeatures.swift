import Autograd
import CKernels

/// Frames averaged over squares of pixels: `[clips, time, height, width, 3]`, 0...1.
struct PooledFrames: Sendable {
  let clips: Int
  let time: Int
  let height: Int
  let width: Int
  var values: [Float]

  init(_ frames: FrameBatch, by pooling: Int) {
    precondition(
      frames.height % pooling == 0 && frames.width % pooling == 0,
      "pooling by \(pooling) of \(frames.height) x \(frames.width)")
    clips = frames.clips
    time = frames.time
    height = frames.height / pooling
    width = frames.width / pooling
    values = [Float](repeating: 0, count: clips * time * height * width * 3)
    let scale = 1 / (255 * Float(pooling * pooling))
    let (height, width) = (height, width)
    frames.bytes.withUnsafeBufferPointer { source in
      values.withUnsafeMutableBufferPointer { target in
        for frame in 0..<frames.clips * frames.time {
          let (from, to) = (frame * frames.frameSize, frame * height * width * 3)
          for y in 0..<frames.height {
            var pixel = source.baseAddress! + from + y * frames.width * 3
            var place = target.baseAddress! + to + y / pooling * width * 3
            for _ in 0..<width {
              for _ in 0..<pooling {
                for c in 0..<3 { place[c] += Float(pixel[c]) * scale }
                pixel += 3
              }
              place += 3
            }
          }
        }
      }
    }
  }

  var frameSize: Int { height * width * 3 }

  /// Every clip rolled down by its own number of rows: a code cannot then carry where something is.
  func rolled(rows: [Int]) -> PooledFrames {
    var result = self
    let line = width * 3
    for frame in 0..<clips * time {
      let start = frame * frameSize
      for y in 0..<height {
        let source = start + (y + rows[frame / time]) % height * line
        for i in 0..<line { result.values[start + y * line + i] = values[source + i] }
      }
    }
    return result
  }

  /// Patches of the frames `range` of every clip, `[clips, range.count, patches, values]`.
  func patches(_ layout: Patches, frames range: Range<Int>, arena: Arena) -> Tensor {
    let result = arena.tensor([clips, range.count, layout.count, layout.channels])
    values.withUnsafeBufferPointer { source in
      for clip in 0..<clips {
        for (place, t) in range.enumerated() {
          layout.extract(
            source.baseAddress! + (clip * time + t) * frameSize,
            into: result.pointer + (clip * range.count + place) * layout.count * layout.channels)
        }
      }
    }
    return result
  }
}

/// What the encoder of latent actions is shown of two frames.
///
/// With a radius, it is a cost volume: at each pixel, how far the new frame is from the old frame displaced by each of
/// `(2 r + 1)^2` displacements. It speaks of motion and not of content, so that codes describe what was done rather than
/// what the level looks like. With radius 0, it is the raw new frame and its difference from the old one.
struct MotionFeatures: Sendable {
  let radius: Int

  /// Values for each pixel.
  var channels: Int { radius == 0 ? 6 : (2 * radius + 1) * (2 * radius + 1) }

  /// - Returns: `[clips, time - 1, patches, size * size * channels]`.
  func features(_ frames: PooledFrames, patches: Patches, arena: Arena) -> Tensor {
    let steps = frames.time - 1
    precondition(steps >= 1, "a transition needs two frames, not \(frames.time)")
    let values = patches.size * patches.size * channels
    let result = arena.tensor([frames.clips, steps, patches.count, values])
    for clip in 0..<frames.clips {
      for t in 0..<steps {
        let old = (clip * frames.time + t) * frames.frameSize
        let target = result.pointer + (clip * steps + t) * patches.count * values
        for y in 0..<frames.height {
          for x in 0..<frames.width {
            let patch = y / patches.size * patches.columns + x / patches.size
            let inside = y % patches.size * patches.size + x % patches.size
            write(frames, old: old, y: y, x: x, into: target + patch * values + inside * channels)
          }
        }
      }
    }
    if radius > 0 { ck_tanh_forward(result.pointer, result.pointer, result.count) }
    return result
  }

  /// The values of one pixel; those of a cost volume before the tanh that bounds them.
  private func write(
    _ frames: PooledFrames, old: Int, y: Int, x: Int, into target: UnsafeMutablePointer<Float>
  ) {
    frames.values.withUnsafeBufferPointer { values in
      let before = values.baseAddress! + old
      let new = before + frames.frameSize + (y * frames.width + x) * 3
      if radius == 0 {
        let same = before + (y * frames.width + x) * 3
        for c in 0..<3 {
          target[c] = new[c] - 0.5
          target[3 + c] = new[c] - same[c]
        }
        return
      }
      var place = target
      for dy in -radius...radius {
        let row = before + min(frames.height - 1, max(0, y - dy)) * frames.width * 3
        for dx in -radius...radius {
          let other = row + min(frames.width - 1, max(0, x - dx)) * 3
          place[0] = 4 * (abs(new[0] - other[0]) + abs(new[1] - other[1]) + abs(new[2] - other[2])) / 3
          place += 1
        }
      }
    }
  }
}

/// How much each pixel of the next frame counts when a latent action model is trained.
///
/// The frame's dominant motion is found first, as the displacement that explains most of it. Pixels that this motion
/// brings in from outside the frame count nothing: no action can foretell them. Pixels that it does not explain count
/// more: there something moves by itself, which scrolling would otherwise drown. No camera or sprite is known here.
struct MotionWeights: Sendable {
  /// Displacements of up to so many pooled pixels are tried.
  let radius: Int
  /// What a wholly unexplained pixel counts more than an explained one.
  let emphasis: Float

  /// - Returns: `[clips, time - 1, patches, values]`, mean about 1.
  func weights(_ frames: PooledFrames, patches: Patches, arena: Arena) -> Tensor {
    let steps = frames.time - 1
    let result = arena.tensor([frames.clips, steps, patches.count, patches.channels])
    var plane = [Float](repeating: 0, count: frames.frameSize)
    var total: Double = 0
    for clip in 0..<frames.clips {
      for t in 0..<steps {
        let old = (clip * frames.time + t) * frames.frameSize
        let (dy, dx) = dominantMotion(frames, old: old)
        for y in 0..<frames.height {
          for x in 0..<frames.width {
            let (row, column) = (y - dy, x - dx)
            var weight: Float = 0
            if row >= 0, row < frames.height, column >= 0, column < frames.width {
              weight = 1 + emphasis * min(1, 4 * difference(frames, old: old, y: y, x: x, dy: dy, dx: dx))
            }
            for c in 0..<3 { plane[(y * frames.width + x) * 3 + c] = weight }
            total += Double(3 * weight)
          }
        }
        // `extract` takes a half off, which is put back by the scaling below.
        patches.extract(plane, into: result.pointer + (clip * steps + t) * patches.count * patches.channels)
      }
    }
    let scale = Float(Double(result.count) / max(total, 1e-9))
    let weight = result.pointer
    for i in 0..<result.count { weight[i] = (weight[i] + 0.5) * scale }
    return result
  }

  private func dominantMotion(_ frames: PooledFrames, old: Int) -> (dy: Int, dx: Int) {
    var best: (cost: Float, dy: Int, dx: Int) = (.infinity, 0, 0)
    for dy in -radius...radius {
      for dx in -radius...radius {
        var (sum, count): (Float, Float) = (0, 0)
        for y in max(0, dy)..<min(frames.height, frames.height + dy) {
          for x in max(0, dx)..<min(frames.width, frames.width + dx) {
            sum += difference(frames, old: old, y: y, x: x, dy: dy, dx: dx)
            count += 1
          }
        }
        // A still frame explains itself: another displacement must do clearly better.
        let cost = sum / count + (dy == 0 && dx == 0 ? 0 : 1e-4)
        if cost < best.cost { best = (cost, dy, dx) }
      }
    }
    return (best.dy, best.dx)
  }

  private func difference(_ frames: PooledFrames, old: Int, y: Int, x: Int, dy: Int, dx: Int) -> Float {
    let new = old + frames.frameSize + (y * frames.width + x) * 3
    let other = old + ((y - dy) * frames.width + x - dx) * 3
    return frames.values.withUnsafeBufferPointer { v in
      var sum: Float = 0
      for c in 0..<3 { sum += abs(v[new + c] - v[other + c]) }
      return sum / 3
    }
  }
}
