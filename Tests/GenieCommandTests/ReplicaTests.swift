import Foundation
import Logging
import Testing

@testable import genie

@Suite struct ReplicaTests {
  @Test func everyReplicaHasAnEndpointOfItsOwn() {
    #expect(Replicas.endpoint("tcp://127.0.0.1:5555", of: 0) == "tcp://127.0.0.1:5555")
    #expect(Replicas.endpoint("tcp://127.0.0.1:5555", of: 2) == "tcp://127.0.0.1:5557")
    #expect(Replicas.endpoint("tcp://[::1]:5555", of: 1) == "tcp://[::1]:5556")
    #expect(Replicas.endpoint("tcp://127.0.0.1:*", of: 3) == "tcp://127.0.0.1:*")
    #expect(Replicas.endpoint("ipc:///run/genie.sock", of: 1) == "ipc:///run/genie.sock-1")
  }

  @Test func aReplicaIsToldWhatIsItsOwn() {
    let replicas = Replicas(
      count: 2, endpoints: ["tcp://127.0.0.1:5555"], keep: "kept", metrics: 9100, workers: 3,
      logger: Logger(label: "test"))
    let given = ["serve", "a.world", "--replicas", "2", "--endpoint=tcp://127.0.0.1:5555", "--verbose"]
    #expect(
      replicas.arguments(of: 1, given[...], "folder") == [
        "serve", "a.world", "--verbose", "--replicas", "1", "--packed", "folder", "--workers", "3",
        "--endpoint", "tcp://127.0.0.1:5556", "--keep", "kept/replica-1", "--metrics", "9101",
      ])
  }
}
