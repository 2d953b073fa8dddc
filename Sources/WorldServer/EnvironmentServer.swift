import Environments
import Foundation
import Logging
import WireProtocol

/// Serves environments to agents in any language, over ZeroMQ.
///
/// Two threads: one does I/O only and answers at once, however busy the environments are; the other
/// owns the pools and steps all waiting sessions together.
public final class EnvironmentServer: Sendable {
  private let configuration: ServerConfiguration
  private let catalogue: EnvironmentCatalogue
  private let logger: Logger
  private let state = ServerState()

  /// - Parameter catalogue: what it serves. Pools are made, and used, on the stepping thread alone.
  public init(
    _ configuration: ServerConfiguration, catalogue: EnvironmentCatalogue,
    logger: Logger = Logger(label: "genie.server")
  ) {
    self.configuration = configuration
    self.catalogue = catalogue
    self.logger = logger
  }

  /// Makes the pools, binds, and serves from then on in the background.
  /// - Returns: the endpoints that were bound, with their ports.
  /// - Throws: ``ServerError`` where an endpoint is open to other machines, or cannot be bound, or a pool
  ///   cannot be made.
  public func start() throws(ServerError) -> [String] {
    try configuration.requireLocal()
    guard !catalogue.names.isEmpty else { throw .noEnvironment }
    let wake: WakeUp
    do { wake = try WakeUp() } catch { throw .wire(error) }
    let queue = WorkQueue(limit: configuration.limits.queuedRequests, wake: wake)
    guard state.begin(queue) else { throw .alreadyStarted }
    let epoch = UInt64.random(in: 1 ... .max)
    do throws(ServerError) {
      let specifications = try startStepping(queue, epoch)
      let endpoints = try startGateway(queue, epoch, wake, specifications)
      logger.info(
        "serving",
        metadata: [
          "endpoints": "\(endpoints.joined(separator: " "))",
          "environments": "\(specifications.map(\.name).joined(separator: " "))",
        ])
      return endpoints
    } catch {
      queue.close()
      throw error
    }
  }

  /// Finishes the steps that wait, sends their replies, closes everything, and returns when that is done.
  public func stop() {
    guard state.stop() else { return }
    logger.info("stopped")
  }

  /// Makes the pools on the thread that will own them.
  private func startStepping(
    _ queue: WorkQueue, _ epoch: UInt64
  ) throws(ServerError) -> [EnvironmentSpecification] {
    let ready = Handover<Result<[EnvironmentSpecification], ServerError>>()
    Thread.detach("genie stepping") { [catalogue, configuration] in
      do throws(ServerError) {
        let stepper = try Stepper(catalogue, configuration, queue: queue, epoch: epoch)
        ready.give(.success(stepper.hosts.map(\.specification)))
        stepper.run()
      } catch {
        ready.give(.failure(error))
      }
    }
    return try ready.take().get()
  }

  /// Binds on the thread that will own the socket.
  private func startGateway(
    _ queue: WorkQueue, _ epoch: UInt64, _ wake: WakeUp, _ specifications: [EnvironmentSpecification]
  ) throws(ServerError) -> [String] {
    let ready = Handover<Result<[String], ServerError>>()
    Thread.detach("genie gateway") { [configuration, logger, state] in
      do throws(WireError) {
        let socket = try Socket(.router, in: Context(), .server(configuration.limits))
        var bound: [String] = []
        for endpoint in configuration.endpoints { bound.append(try socket.bind(endpoint)) }
        let gateway = Gateway(
          socket, configuration, epoch: epoch, queue: queue, wake: wake, specifications: specifications,
          logger: logger)
        state.gatewayStarted()
        ready.give(.success(bound))
        gateway.run(isStopping: { state.isStopping })
      } catch {
        ready.give(.failure(.wire(error)))
        return
      }
      state.gatewayEnded()
    }
    return try ready.take().get()
  }
}

extension Thread {
  /// Runs a closure on a thread of its own.
  fileprivate static func detach(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.start()
  }
}
