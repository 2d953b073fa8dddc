import Foundation
import Testing

@testable import Reporting

struct ReportTests {
  @Test func nestedFiguresAreSortedText() throws {
    var report = JSONReport()
    report["evaluation", "dream", "return"] = .number(7.5)
    report["evaluation", "dream", "episodes"] = 100
    report["command"] = "genie measure a/b"
    report["bad"] = .number(.nan)
    report["curve"] = [1, 2.5, true]
    #expect(report["evaluation", "dream", "return"] == .number(7.5))
    #expect(report["evaluation", "game"] == nil)
    #expect(
      report.text == """
        {
          "bad" : null,
          "command" : "genie measure a/b",
          "curve" : [
            1,
            2.5,
            true
          ],
          "evaluation" : {
            "dream" : {
              "episodes" : 100,
              "return" : 7.5
            }
          }
        }

        """)
    let url = FileManager.default.temporaryDirectory.appending(path: "report-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    try report.write(to: url)
    #expect(try String(contentsOf: url, encoding: .utf8) == report.text)
  }

  @Test func settingReplacesAndRemoves() {
    var report = JSONReport(["a": 1])
    report["a", "b"] = 2
    #expect(report.figures == ["a": ["b": 2]])
    report["a"] = nil
    #expect(report.figures.isEmpty)
  }

  @Test func tableAlignsColumns() {
    var table = Table(["agent", "return", "n"])
    table.append(["random", "1.25", "1000"])
    table.append(["ppo", "17.5", "8"])
    #expect(
      table.description == """
        agent   return     n
        ------  ------  ----
        random    1.25  1000
        ppo       17.5     8
        """)
  }
}
