/// A piece of a page. What is interpolated into it is escaped, unless it is ``HTML`` itself: so a name from a
/// file can break no page.
///
/// ```swift
/// let cell: HTML = "<td>\(name)</td>"
/// let row: HTML = "<tr>\(cells)</tr>"  // cells: [HTML]
/// ```
public struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  public let text: String

  public init(stringLiteral value: String) { text = value }

  public init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  public struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    public mutating func appendLiteral(_ literal: String) { text += literal }

    public mutating func appendInterpolation(_ part: HTML) { text += part.text }

    /// One after another, nothing between them.
    public mutating func appendInterpolation(_ parts: [HTML]) {
      for part in parts { text += part.text }
    }

    /// As text, also within quoted attributes.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      for character in value.description.unicodeScalars {
        switch character {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        default: text.unicodeScalars.append(character)
        }
      }
    }
  }
}
