import ArgumentParser
import Foundation
import Reporting

/// What every command that reports figures takes.
struct OutputOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Also write the figures to this file, as JSON.", valueName: "file"))
  var json: String?

  @Flag(help: "Show no progress.")
  var quiet = false

  var progressStyle: ProgressBar.Style { quiet ? .quiet : .automatic }

  /// Writes the report if a file was asked for.
  func write(_ report: JSONReport) throws {
    if let json { try report.write(to: URL(filePath: json)) }
  }
}
