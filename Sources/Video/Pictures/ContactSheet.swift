/// Rows of frames side by side on a dark ground, with labels: the picture by which a person judges a model.
///
/// ```swift
/// var sheet = ContactSheet(scale: 2)
/// sheet.append("real", real)
/// sheet.append("dreamt", dreamt)
/// try PNG.write(sheet.picture(), to: url)
/// ```
public struct ContactSheet: Sendable {
  private struct Row: Sendable {
    let label: String
    let frames: [Picture]
  }

  private let scale: Int
  private let margin: Int
  private let columns: [String]
  private var rows: [Row] = []

  /// - Parameters:
  ///   - scale: how many times each pixel of the frames is repeated in both directions.
  ///   - margin: pixels between frames.
  ///   - columns: headings over the columns; may be fewer than the frames.
  public init(scale: Int = 2, margin: Int = 4, columns: [String] = []) {
    precondition(scale > 0 && margin >= 0, "scale \(scale), margin \(margin)")
    self.scale = scale
    self.margin = margin
    self.columns = columns
  }

  /// Adds a row of frames, of any sizes, with a label left of them; rows may differ in length.
  public mutating func append(_ label: String = "", _ frames: [Picture]) {
    rows.append(Row(label: label, frames: frames))
  }

  /// The whole sheet. An empty one is a single dark pixel.
  public func picture() -> Picture {
    let textScale = 2
    let textHeight = BitmapFont.height * textScale
    let labelWidth = rows.map { BitmapFont.width(of: $0.label) * textScale }.max() ?? 0
    let left = margin + (labelWidth > 0 ? labelWidth + margin : 0)
    let top = margin + (columns.isEmpty ? 0 : textHeight + margin)
    let cellWidth = (rows.flatMap(\.frames).map(\.width).max() ?? 0) * scale + margin
    let rowHeights = rows.map { row in
      max((row.frames.map(\.height).max() ?? 0) * scale, row.label.isEmpty ? 0 : textHeight) + margin
    }
    let cells = rows.map(\.frames.count).max() ?? 0
    var sheet = Picture(
      height: max(top + rowHeights.reduce(0, +), 1), width: max(left + cells * cellWidth, 1),
      red: 24, green: 24, blue: 28)
    for (column, heading) in columns.enumerated() {
      sheet.write(heading, top: margin, left: left + column * cellWidth, scale: textScale)
    }
    var rowTop = top
    for (row, height) in zip(rows, rowHeights) {
      sheet.write(
        row.label, top: rowTop + max((height - margin - textHeight) / 2, 0), left: margin, scale: textScale)
      for (column, frame) in row.frames.enumerated() {
        sheet.paste(frame.enlarged(by: scale), top: rowTop, left: left + column * cellWidth)
      }
      rowTop += height
    }
    return sheet
  }
}
