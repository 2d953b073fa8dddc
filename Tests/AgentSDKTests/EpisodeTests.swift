import AgentSDK
import Environments
import Foundation
import Testing
import WorldServer

@Suite struct EpisodeTests {
  struct Runner: Agent {
    var rewards: [Float] = []

    func act(on observation: [UInt8], of specification: EnvironmentSpecification) -> Int32 { 2 }

    mutating func learn(from transition: Transition, after action: Int32) {
      rewards.append(transition.reward)
    }
  }

  @Test func anAgentPlaysAnEpisode() async throws {
    let server = try GameServer()
    let environment = try await RemoteEnvironment.connect(
      server.endpoint, environment: "Platformer-v1", options: OpenOptions(horizon: 30))
    var agent = Runner()
    var seen = 0
    let episode = try await Episode.play(&agent, in: environment, start: ResetOptions(seed: 3)) { pixels, _ in
      #expect(pixels.count == 64 * 64 * 3)
      seen += 1
    }
    #expect(episode.steps == agent.rewards.count && seen == episode.steps + 1)
    #expect(episode.totalReward == agent.rewards.reduce(0, +))
    #expect(episode.ending != .stopped)
    let again = try await Episode.play(&agent, in: environment, start: ResetOptions(seed: 3))
    #expect(again == episode)
    let short = try await Episode.play(&agent, in: environment, stepLimit: 2)
    #expect(short.steps == 2 && short.ending == .stopped)
    await environment.close()
    await #expect(throws: EnvironmentError.self) { try await environment.step(0) }
  }

  /// More environments wait at once than there are cooperative threads: so they do not wait on those.
  @Test func waitingBlocksNoCooperativeThread() async throws {
    let server = try GameServer(slowSeconds: 0.5)
    let endpoint = server.endpoint
    let cores = ProcessInfo.processInfo.activeProcessorCount
    // The reward is the number of the call: equal ones were in it together.
    let calls = try await withThrowingTaskGroup(of: Float.self) { group in
      for _ in 0..<4 * cores + 8 {
        group.addTask {
          let environment = try await RemoteEnvironment.connect(endpoint, environment: "Slow-v1")
          _ = try await environment.reset()
          return try await environment.step(0).reward
        }
      }
      return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
    #expect(calls.values.max()! > cores, "\(calls)")
  }
}
