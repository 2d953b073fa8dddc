/// An RGB picture: `pixels` is `[height, width, 3]`, row by row from the top, 0...255.
public struct Picture: Sendable, Equatable {
  public let height: Int
  public let width: Int
  public var pixels: [UInt8]

  /// - Precondition: `pixels` holds `height * width * 3` bytes and neither side is zero.
  public init(height: Int, width: Int, pixels: [UInt8]) {
    precondition(
      height > 0 && width > 0 && pixels.count == height * width * 3,
      "\(pixels.count) bytes for a picture of shape [\(height), \(width), 3]")
    self.height = height
    self.width = width
    self.pixels = pixels
  }

  /// A picture of one colour.
  public init(height: Int, width: Int, red: UInt8 = 0, green: UInt8 = 0, blue: UInt8 = 0) {
    self.init(
      height: height, width: width,
      pixels: Array(repeatElement([red, green, blue], count: height * width).joined()))
  }

  /// The rectangle from (`top`, `left`).
  /// - Precondition: it lies within the picture.
  public func cropped(top: Int, left: Int, height: Int, width: Int) -> Picture {
    precondition(
      top >= 0 && left >= 0 && top + height <= self.height && left + width <= self.width,
      "[\(height), \(width)] at (\(top), \(left)) is outside of [\(self.height), \(self.width)]")
    var result: [UInt8] = []
    result.reserveCapacity(height * width * 3)
    for row in top..<top + height {
      let start = (row * self.width + left) * 3
      result += pixels[start..<start + width * 3]
    }
    return Picture(height: height, width: width, pixels: result)
  }

  /// The largest square in the middle.
  public func centreSquare() -> Picture {
    let side = min(height, width)
    return cropped(top: (height - side) / 2, left: (width - side) / 2, height: side, width: side)
  }

  /// The largest part in the middle that has the proportions of another size, at that size.
  public func centreCrop(height newHeight: Int, width newWidth: Int) -> Picture {
    let part =
      height * newWidth > width * newHeight
      ? (height: max(1, width * newHeight / newWidth), width: width)
      : (height: height, width: max(1, height * newWidth / newHeight))
    return cropped(
      top: (height - part.height) / 2, left: (width - part.width) / 2, height: part.height, width: part.width
    ).resized(height: newHeight, width: newWidth)
  }

  /// The picture at another size: every new pixel is the mean of the area it covers.
  public func resized(height newHeight: Int, width newWidth: Int) -> Picture {
    if newHeight == height, newWidth == width { return self }
    let columns = areas(from: width, to: newWidth)
    let rows = areas(from: height, to: newHeight)
    var narrow = [Float](repeating: 0, count: height * newWidth * 3)
    for row in 0..<height {
      for (column, area) in columns.enumerated() {
        let target = (row * newWidth + column) * 3
        for (offset, weight) in area.weights.enumerated() {
          let source = (row * width + area.first + offset) * 3
          for channel in 0..<3 { narrow[target + channel] += weight * Float(pixels[source + channel]) }
        }
      }
    }
    var result = [UInt8](repeating: 0, count: newHeight * newWidth * 3)
    let stride = newWidth * 3
    for (row, area) in rows.enumerated() {
      for column in 0..<stride {
        var sum: Float = 0
        for (offset, weight) in area.weights.enumerated() {
          sum += weight * narrow[(area.first + offset) * stride + column]
        }
        result[row * stride + column] = UInt8(min(max(sum.rounded(), 0), 255))
      }
    }
    return Picture(height: newHeight, width: newWidth, pixels: result)
  }

  /// The picture with every pixel repeated `factor` times in both directions.
  public func enlarged(by factor: Int) -> Picture {
    precondition(factor > 0, "a picture cannot be enlarged \(factor) times")
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count * factor * factor)
    for row in 0..<height {
      var line: [UInt8] = []
      for column in 0..<width {
        let start = (row * width + column) * 3
        for _ in 0..<factor { line += pixels[start..<start + 3] }
      }
      for _ in 0..<factor { result += line }
    }
    return Picture(height: height * factor, width: width * factor, pixels: result)
  }

  /// Copies `other` onto this picture with its upper left corner at (`top`, `left`).
  /// - Precondition: it fits.
  public mutating func paste(_ other: Picture, top: Int, left: Int) {
    precondition(
      top >= 0 && left >= 0 && top + other.height <= height && left + other.width <= width,
      "[\(other.height), \(other.width)] at (\(top), \(left)) does not fit into [\(height), \(width)]")
    for row in 0..<other.height {
      let source = row * other.width * 3
      let target = ((top + row) * width + left) * 3
      pixels.replaceSubrange(
        target..<target + other.width * 3, with: other.pixels[source..<source + other.width * 3])
    }
  }
}

/// The old pixels that each new pixel covers along one axis, with weights that sum to one.
private func areas(from old: Int, to new: Int) -> [(first: Int, weights: [Float])] {
  let scale = Double(old) / Double(new)
  return (0..<new).map { index in
    let low = Double(index) * scale
    let high = min(low + scale, Double(old))
    let first = min(Int(low), old - 1)
    let last = max(min(Int(high.rounded(.up)), old), first + 1)
    let weights = (first..<last).map { pixel in
      Float(max(min(high, Double(pixel + 1)) - max(low, Double(pixel)), 0) / (high - low))
    }
    return (first, weights)
  }
}
