import Environments
import Foundation
import WireProtocol

/// How a server serves.
public struct ServerConfiguration: Sendable {
  /// `ipc://PATH`, or `tcp://` on a loopback address, or on any other with ``security``; a port may be `*`.
  public var endpoints: [String]
  /// For how long a step waits for those of the sessions that took part in the step before.
  public var batchingSeconds = 0.002
  /// A call that is expected to take no longer is made where its request arrives, without waiting for others;
  /// 0: never.
  public var inlineSeconds = 0.001
  /// How long a silent session lives.
  public var sessionSeconds = 300.0
  public var limits = Limits()
  /// Keys, for all endpoints; nil lets in whoever is on this machine.
  public var security: ServerSecurity?
  /// A folder in which sessions are kept, so that they can be resumed at the next start; nil keeps none.
  public var persistence: URL?
  /// A port of this machine at which the counters are told in the text format of Prometheus; nil tells
  /// nobody.
  public var metricsPort: UInt16?

  public init(endpoints: [String]) { self.endpoints = endpoints }
}

/// Why a server does not start.
public enum ServerError: Error, Hashable, Sendable {
  /// Beyond this machine, only with CURVE keys.
  case notLocal(endpoint: String)
  case noEndpoint
  case noEnvironment
  /// The pool of an environment could not be made.
  case environment(name: String, EnvironmentError)
  case wire(WireError)
  /// Sessions cannot be kept in the folder.
  case persistence(reason: String)
  case alreadyStarted
}

extension ServerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notLocal(let endpoint):
      "\(endpoint) can be reached from other machines, and this server has no CURVE keys to tell friend from "
        + "stranger: bind ipc://PATH or tcp://127.0.0.1:PORT, or make keys with 'genie keys make' and give the "
        + "server its own (--key) and a list of its clients' (--allow)"
    case .noEndpoint: "no endpoint to bind"
    case .noEnvironment: "no environment to serve"
    case .environment(let name, let error): "environment '\(name)': \(error)"
    case .wire(let error): error.description
    case .persistence(let reason): "sessions cannot be kept: \(reason)"
    case .alreadyStarted: "the server was started before"
    }
  }
}

extension ServerConfiguration {
  /// - Throws: ``ServerError/notLocal(endpoint:)`` for an endpoint that other machines can reach, without
  ///   keys.
  func requireLocal() throws(ServerError) {
    guard !endpoints.isEmpty else { throw .noEndpoint }
    if security != nil { return }
    let loopback = ["tcp://127.0.0.1:", "tcp://localhost:", "tcp://[::1]:"]
    for endpoint in endpoints {
      guard endpoint.hasPrefix("ipc://") || loopback.contains(where: endpoint.hasPrefix) else {
        throw .notLocal(endpoint: endpoint)
      }
    }
  }
}
