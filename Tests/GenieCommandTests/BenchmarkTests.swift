import Autograd
import Foundation
import Reporting
import Testing

@testable import genie

@Suite("Benchmark")
struct BenchmarkTests {
  @Test("The median of an even number of values is between the middle two")
  func median() {
    #expect(Stopwatch.median([3, 1, 2]) == 2)
    #expect(Stopwatch.median([4, 1, 2, 3]) == 2.5)
  }

  @Test("Measurements are taken in turn")
  func interleaved() throws {
    var order: [Int] = []
    let values = try Stopwatch.interleaved(
      "", repeats: 2, style: .quiet,
      (0..<3).map { index in
        {
          order.append(index)
          return Double(10 * order.count)
        }
      })
    #expect(order == [0, 1, 2, 0, 1, 2])
    #expect(values == [[10, 40], [20, 50], [30, 60]])
  }

  @Test("A power is found again, and drawn")
  func exponent() {
    let points = [1.0, 2, 4, 8].map { (x: $0, seconds: 3 * pow($0, 1.5)) }
    let curve = ScalingPlot.Curve(panel: "worlds & <days>", name: "a frame", points: points)
    #expect(abs(curve.law.exponent - 1.5) < 1e-9)
    let svg = ScalingPlot(curves: [curve]).svg.text
    #expect(
      svg.hasPrefix("<svg ") && svg.contains("exponent 1.50") && svg.contains("worlds &amp; &lt;days&gt;"))
    #expect(svg.components(separatedBy: "<circle").count == 5 && !svg.contains("\"nan"))
  }

  @Test("A profile tells the dearest operation first, per step")
  func profile() throws {
    let profile = Profile()
    profile.mark("short", flops: 1e6)
    profile.begin()
    Thread.sleep(forTimeInterval: 0.01)
    profile.mark("long")
    let table = ProfileTable("a step", [profile, profile], steps: 2)
    let lines = table.table.description.split(separator: "\n")
    #expect(lines[2].hasPrefix("long") && lines[3].hasPrefix("short") && lines[4].hasPrefix("all"))
    guard case .object(let json) = table.json, case .object(let long)? = json["long"] else {
      throw NotAnObject()
    }
    #expect(long["calls"] == .number(1))
  }

  @Test("The models have the sizes that others report")
  func models() throws {
    for (model, tokens, codes, channels, blocks) in [
      (BenchmarkModel.tiny, 64, 512, 128, 4), (.small, 64, 512, 256, 6), (.s64, 64, 1024, 128, 4),
      (.s256, 256, 1024, 128, 4),
    ] {
      let configuration = try model.configuration()
      let d = configuration.dynamics
      #expect(configuration.problem == nil)
      #expect(d.tokens == tokens && d.vocabulary == codes && d.channels == channels && d.blocks == blocks)
      #expect(d.window == 16)
    }
    #expect(BenchmarkModel.configuration(grid: 12).problem == nil)
    #expect(BenchmarkModel.configuration(channels: 384, grid: 4).problem == nil)
  }

  private struct NotAnObject: Error {}
}
