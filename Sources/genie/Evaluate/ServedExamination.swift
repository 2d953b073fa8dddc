import ArgumentParser
import Dispatch
import Environments
import Foundation
import GeneratedWorlds
import Logging
import ReinforcementLearning
import Reporting
import WorldServer

/// Serves a suite to an agent until all its episodes are done, and reports on what it did.
struct ServedExamination {
  private let place: EvaluationPlace
  private let suite: LevelSuite
  private let endpoint: String
  private let style: ProgressBar.Style

  /// - Throws: `ValidationError` where there is no suite.
  init(_ place: EvaluationPlace, endpoint: String, style: ProgressBar.Style) throws {
    guard let suite = place.suite else { throw ValidationError("There is no suite to serve.") }
    self.place = place
    self.suite = suite
    self.endpoint = endpoint
    self.style = style
  }

  func run() throws -> Examination {
    let done = DispatchSemaphore(value: 0)
    let count = suite.starts.count
    nonisolated(unsafe) let bar = ProgressBar("agent", total: count, unit: "episodes", style: style)
    let proctor = Proctor(suite.evaluation) { finished in
      bar.update(to: finished)
      if finished == count { done.signal() }
    }
    // Made here once, so that what is wrong with the world is said before anybody waits for it.
    _ = try place.makePool()
    var catalogue = EnvironmentCatalogue()
    let makePool = { @Sendable [place] () throws(EnvironmentError) -> any EnvironmentPool in
      do { return ProctoredPool(try place.makePool(), proctor) } catch let error as EnvironmentError {
        throw error
      } catch { throw .fault("\(error)") }
    }
    catalogue.register(place.name, makePool)
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "genie")
    logger.logLevel = .warning
    let server = EnvironmentServer(
      ServerConfiguration(endpoints: [endpoint]), catalogue: catalogue, logger: logger)
    for bound in try server.start() {
      try? FileHandle.standardOutput.write(
        contentsOf: Data(
          "serving \(suite.record.name) (\(count) episodes of \(place.name)) at \(bound)\n".utf8))
    }
    done.wait()
    bar.finish()
    // The reply to the last step is still on its way.
    Thread.sleep(forTimeInterval: 1)
    server.stop()
    let episodes = proctor.episodes
    let report = try EvaluationReport(
      policy: "the agent", environment: place.name, episodes: suite.placed(episodes.map(\.result)))
    let films = try Film.replay(episodes, of: suite.evaluation, in: place.makePool())
    return Examination(
      environment: place.name, suite: suite, world: place.world,
      entries: [Examination.Entry(name: "the agent", hash: nil, report: report, films: films)])
  }
}
