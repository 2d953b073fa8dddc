import Autograd
import Foundation

#if MPI
  import CMPI
#endif

/// Why the processes that `mpirun` started cannot work together.
public enum MessagePassingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Several processes, but a program that was built without MPI: each would do all of the work.
  case notBuiltIn(processes: Int)
  /// MPI does not start, or cannot be called from a process that has threads.
  case failed(reason: String)

  public var description: String {
    switch self {
    case .notBuiltIn(let processes):
      "\(processes) processes were started, but this program was built without MPI: "
        + "build it with swift build -c release --traits MPI"
    case .failed(let reason): "MPI cannot be used: \(reason)"
    }
  }
}

/// The processes that `mpirun` started, as a ``Collective``.
public enum MessagePassing {
  /// Whether this build has MPI.
  public static var isBuiltIn: Bool {
    #if MPI
      true
    #else
      false
    #endif
  }

  /// Processes that were started together with this one, by what `mpirun`, `srun` and their like leave in the environment.
  static func processes(in environment: [String: String]) -> Int {
    ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"].compactMap {
      environment[$0].flatMap(Int.init)
    }
    .first ?? 1
  }

  /// Joins the processes that were started together with this one. To be called once, before threads are made.
  /// - Returns: nil where this one is alone.
  public static func join(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(MessagePassingError) -> (any Collective)? {
    let processes = processes(in: environment)
    guard processes > 1 else { return nil }
    #if MPI
      return try MPICollective()
    #else
      throw .notBuiltIn(processes: processes)
    #endif
  }

  /// Leaves the others, when all is done.
  public static func leave() {
    #if MPI
      var isJoined: Int32 = 0
      MPI_Initialized(&isJoined)
      if isJoined != 0 { MPI_Finalize() }
    #endif
  }

  /// Ends all processes, since this one cannot go on: the others would wait for it forever.
  public static func abort(_ error: any Error, of collective: any Collective) -> Never {
    let host = ProcessInfo.processInfo.hostName
    try? FileHandle.standardError.write(
      contentsOf: Data("Error: rank \(collective.rank) of \(collective.count) on \(host): \(error)\n".utf8))
    #if MPI
      MPI_Abort(genie_mpi_world(), 1)
    #endif
    exit(1)
  }
}
