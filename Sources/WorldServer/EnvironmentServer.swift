import Environments
import Foundation
import Logging
import WireProtocol

/// Serves environments to agents in any language, over ZeroMQ.
///
/// Two threads: one does I/O and answers at once, however busy the environments are; the other steps all
/// waiting sessions together. Calls that are quick (``ServerConfiguration/inlineSeconds``) need no second
/// thread.
public final class EnvironmentServer: Sendable {
  private let configuration: ServerConfiguration
  private let catalogue: EnvironmentCatalogue
  private let logger: Logger
  private let state = ServerState()

  /// - Parameter catalogue: what it serves. Pools are made on the stepping thread, and used by one thread at
  ///   a time.
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
      let stepper = try startStepping(queue, epoch)
      let specifications = stepper.hosts.map(\.specification)
      let endpoints = try startGateway(stepper, wake)
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

  /// The counters, at most a second old.
  public var statistics: ServerStatistics { state.statistics }

  /// Finishes the steps that wait, sends their replies, closes everything, and returns when that is done.
  public func stop() {
    guard state.stop() else { return }
    logger.info("stopped")
  }

  private func startStepping(_ queue: WorkQueue, _ epoch: UInt64) throws(ServerError) -> Stepper {
    let ready = Handover<Result<Stepper, ServerError>>()
    Thread.detach("genie stepping") { [catalogue, configuration, logger] in
      do throws(ServerError) {
        let stepper = try Stepper(catalogue, configuration, queue: queue, epoch: epoch, logger: logger)
        ready.give(.success(stepper))
        stepper.run()
      } catch {
        ready.give(.failure(error))
      }
    }
    return try ready.take().get()
  }

  /// Binds on the thread that will own the socket.
  private func startGateway(_ stepper: Stepper, _ wake: WakeUp) throws(ServerError) -> [String] {
    let ready = Handover<Result<[String], ServerError>>()
    Thread.detach("genie gateway") { [configuration, logger, state] in
      do throws(WireError) {
        let context = try Context()
        let authenticator = try configuration.security.map { security throws(WireError) in
          try Authenticator(security.clients, in: context)
        }
        defer { withExtendedLifetime(authenticator) {} }
        var options = SocketOptions.server(configuration.limits)
        options.curve = configuration.security.map { .server($0.key) }
        let socket = try Socket(.router, in: context, options)
        let metrics = try configuration.metricsPort.map { port throws(WireError) in
          try MetricsEndpoint(port: port) { state.statistics }
        }
        defer { withExtendedLifetime(metrics) {} }
        var bound: [String] = []
        for endpoint in configuration.endpoints { bound.append(try socket.bind(endpoint)) }
        let gateway = Gateway(
          socket, configuration, stepper, wake: wake, state: state, logger: logger)
        state.gatewayStarted()
        ready.give(.success(bound))
        gateway.run()
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
