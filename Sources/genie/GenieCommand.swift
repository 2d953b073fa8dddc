import ArgumentParser
import Foundation

/// The root of the command line: one subcommand a file.
@main
struct GenieCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "genie",
    abstract: "Learns worlds from video, serves them as environments, and trains agents in them.",
    subcommands: [
      RecordCommand.self, ImportCommand.self, TrainCommand.self, InspectCommand.self, MeasureCommand.self,
      RegenerateCommand.self, AblateCommand.self, DreamCommand.self, PromptCommand.self, PlayCommand.self,
      ServeCommand.self, KeysCommand.self, ConformCommand.self, ChaosCommand.self, DoctorCommand.self,
      EvaluateCommand.self, SuiteCommand.self, ReportCommand.self, ExperimentCommand.self,
      BenchmarkCommand.self, PlanCommand.self, ScalingCommand.self,
    ])

  /// Runs the command line. Errors go to standard error as a sentence; the exit code is 1, and 2 for a
  /// command line that is wrong in itself.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch  where exitCode(for: error) == .validationFailure {
      try? FileHandle.standardError.write(contentsOf: Data((fullMessage(for: error) + "\n").utf8))
      Foundation.exit(2)
    } catch {
      exit(withError: error)
    }
  }
}
