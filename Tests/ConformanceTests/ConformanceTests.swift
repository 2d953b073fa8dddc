import Conformance
import Environments
import Foundation
import Testing
import WorldServer

@Suite struct ConformanceTests {
  @Test(arguments: ["Platformer-v1", "Noop-v1"]) func theServerConforms(_ environment: String) throws {
    let server = EnvironmentServer(ServerConfiguration(endpoints: ["ipc://*"]), catalogue: .builtIn)
    let endpoint = try server.start()[0]
    defer { server.stop() }
    let findings = try ConformanceSuite(endpoint, environment: environment).run()
    #expect(findings.filter { $0.reason != nil } == [])
    #expect(findings.count >= 40 && !findings.contains(where: \.isSkipped))
  }
}
