import Foundation
import Reporting
import TestSupport
import Testing

@Suite struct LineChartTests {
  @Test func everyLineAndNameIsDrawn() throws {
    var chart = LineChart(title: "a < b", x: "frame", range: 0...1)
    chart.append("one", [0.2, .nan, 1])
    chart.append("two", [(x: 0, y: 0.5), (x: 4, y: 0.25)], isDashed: true)
    let document = try XMLDocumentSketch(chart.svg)
    #expect(document.texts.contains("one") && document.texts.contains("two"))
    #expect(chart.svg.contains("a &lt; b") && chart.svg.contains("stroke-dasharray"))
    #expect(!chart.svg.contains("nan"))
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    try chart.write(to: folder.file("chart.svg"))
    #expect(try String(contentsOf: folder.file("chart.svg"), encoding: .utf8) == chart.svg)
  }

  @Test func aChartWithoutLinesIsDrawnToo() {
    #expect(LineChart(title: "nothing", x: "x").svg.contains("<svg"))
  }
}

/// The texts of a drawing.
private struct XMLDocumentSketch {
  var texts: [String] = []

  init(_ svg: String) throws {
    for part in svg.components(separatedBy: "<text").dropFirst() {
      let inside = part.drop { $0 != ">" }.dropFirst()
      texts.append(String(inside.prefix { $0 != "<" }))
    }
    try #require(svg.hasPrefix("<svg") && svg.contains("</svg>"))
  }
}
