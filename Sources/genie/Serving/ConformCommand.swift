import ArgumentParser
import ClientOptions
import Conformance
import Foundation
import Reporting

struct ConformCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conform", abstract: "Checks whether a server keeps the protocol.",
    discussion:
      "\(ConformanceSuite.count) checks of any server that speaks it (PROTOCOL.md); exit code 1 where one fails."
  )

  @Argument(help: "Where the server is, such as tcp://127.0.0.1:5555.")
  var endpoint: String

  @Option(help: "The environment to check with; the server's first if none is named.")
  var environment: String?

  @OptionGroup var keys: KeyOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let suite = ConformanceSuite(endpoint, environment: environment, keys: try keys.keys())
    let findings = try suite.run { finding in
      let mark = finding.isSkipped ? "skip" : finding.reason == nil ? "pass" : "FAIL"
      print("\(mark)  \(finding.check)\(finding.reason.map { ": \($0)" } ?? "")")
    }
    let failed = findings.count { $0.reason != nil }
    let skipped = findings.count { $0.isSkipped }
    print(
      "\(findings.count - failed - skipped) passed, \(failed) failed, \(skipped) not offered by the server")
    try output.write(
      JSONReport([
        "conform": [
          "checks": .integer(findings.count), "failed": .integer(failed), "skipped": .integer(skipped),
        ]
      ]))
    if failed > 0 { throw ExitCode.failure }
  }
}
