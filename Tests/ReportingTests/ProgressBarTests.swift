import Testing

@testable import Reporting

struct ProgressBarTests {
  /// A clock and a screen for the bar.
  final class Stage {
    var time = 0.0
    var writes: [String] = []

    func bar(terminal: Bool, total: Int? = 100, start: Int = 0, style: ProgressBar.Style = .automatic)
      -> ProgressBar
    {
      ProgressBar(
        "job", total: total, start: start, unit: "steps", style: style,
        surroundings: .init(
          isTerminal: terminal, width: 60, now: { self.time }, write: { self.writes.append($0) }))
    }
  }

  @Test func terminalIsRedrawnAtMostTenTimesASecond() {
    let stage = Stage()
    let bar = stage.bar(terminal: true)
    for step in 1...100 {
      stage.time = Double(step) * 0.01
      bar.update(to: step)
    }
    #expect((9...11).contains(stage.writes.count))
    #expect(stage.writes.allSatisfy { $0.hasPrefix("\r") && !$0.contains("\n") })
    bar.finish()
    bar.finish()
    #expect(stage.writes.last == "\n")
    #expect(stage.writes.filter { $0 == "\n" }.count == 1)
    #expect(stage.writes[stage.writes.count - 2].contains("100/100 steps"))
  }

  @Test func elsewhereALineEveryThirtySecondsAndAtTheEnd() {
    let stage = Stage()
    let bar = stage.bar(terminal: false)
    for step in 1...100 {
      stage.time = Double(step)
      bar.update(to: step, figures: ["loss": 0.25, "psnr": 31.25])
    }
    #expect(stage.writes.count == 3)
    #expect(stage.writes[0] == "job   30%  30/100 steps  1/s  1:10 left  loss 0.25  psnr 31.25\n")
    bar.finish()
    #expect(stage.writes.last == "job  100%  100/100 steps  1/s  in 1:40  loss 0.25  psnr 31.25\n")
  }

  @Test func resumedJobCountsItsRateFromWhereItBegan() {
    let stage = Stage()
    let bar = stage.bar(terminal: false, start: 60)
    stage.time = 40
    bar.update(to: 80)
    #expect(stage.writes == ["job   80%  80/100 steps  0.5/s  0:40 left\n"])
  }

  @Test func aLineNeverWraps() {
    let stage = Stage()
    let bar = stage.bar(terminal: true)
    stage.time = 1
    bar.update(to: 1, figures: ["a long figure": 1, "another long figure": 2, "a third": 3])
    #expect(stage.writes[0].dropFirst("\r\u{1B}[K".count).count <= 59)
  }

  @Test func unknownTotalAndQuiet() {
    let stage = Stage()
    let quiet = stage.bar(terminal: true, style: .quiet)
    quiet.update(to: 5)
    quiet.print("text")
    quiet.finish()
    #expect(stage.writes.isEmpty)
    let open = stage.bar(terminal: false, total: nil)
    stage.time = 31
    open.update(to: 62)
    #expect(stage.writes == ["job  62 steps  2/s\n"])
  }

  @Test func durations() {
    #expect(duration(59.6) == "1:00")
    #expect(duration(3725) == "1:02:05")
    #expect(duration(.infinity) == "?")
  }
}
