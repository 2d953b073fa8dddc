import Autograd
import Foundation
import TestSupport
import Testing

@testable import MessagePassing

@Suite struct MessagePassingTests {
  @Test func whoeverIsAloneJoinsNobody() throws {
    #expect(try MessagePassing.join([:]) == nil)
    #expect(try MessagePassing.join(["OMPI_COMM_WORLD_SIZE": "1"]) == nil)
    #expect(MessagePassing.processes(in: ["PMI_SIZE": "3"]) == 3)
    #expect(MessagePassing.processes(in: ["SLURM_STEP_NUM_TASKS": "8"]) == 8)
  }

  /// Several processes of a build without MPI would each train the whole world, into the same folder.
  @Test(.enabled(if: !MessagePassing.isBuiltIn, "this build has MPI"))
  func aBuildWithoutMPISaysSo() {
    #expect(throws: MessagePassingError.notBuiltIn(processes: 2)) {
      try MessagePassing.join(["OMPI_COMM_WORLD_SIZE": "2"])
    }
  }
}
