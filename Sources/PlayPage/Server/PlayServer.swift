import Environments
import FlyingFox
import Foundation

/// What is played on a page, and where the page is.
public struct PlayConfiguration: Sendable {
  /// Makes the pool, on the thread that will step it.
  public var makePool: EnvironmentCatalogue.Factory
  /// Names of the actions, for a pool that has none of its own.
  public var actionNames: [String]
  /// Whether a start that names neither level nor picture is a level of the pool's own invention.
  public var dreamsLevels: Bool
  /// Who can be asked to play.
  public var players: [any Player]
  /// Of 127.0.0.1; 0 takes any that is free.
  public var port: UInt16

  public init(
    actionNames: [String] = [], dreamsLevels: Bool = false, players: [any Player] = [], port: UInt16 = 0,
    makePool: @escaping EnvironmentCatalogue.Factory
  ) {
    self.makePool = makePool
    self.actionNames = actionNames
    self.dreamsLevels = dreamsLevels
    self.players = players
    self.port = port
  }
}

/// Why a page cannot be served.
public enum PlayServerError: Error, Sendable, CustomStringConvertible {
  /// The page's own file is missing from this build.
  case missingFile(String)
  case noPort(UInt16, reason: String)

  public var description: String {
    switch self {
    case .missingFile(let name): "the page's file '\(name)' is missing from this build"
    case .noPort(let port, let reason): "127.0.0.1:\(port): cannot be served (\(reason))"
    }
  }
}

/// Serves one page on which a person steps into a world: a fixed list of files, and a WebSocket for each page
/// that is open.
///
/// Nobody but this machine is listened to, and no page but this one: a request must name this server as its
/// host, and a WebSocket must come from a page of this origin.
///
/// ```swift
/// let server = try await PlayServer(PlayConfiguration(port: 8765) { GamePool(Platformer()) })
/// print(server.address)
/// try await server.run()
/// ```
public final class PlayServer: Sendable {
  /// Where the page is: `http://127.0.0.1:PORT/`.
  public let address: URL
  private let server: HTTPServer
  private let listening: Task<Void, any Error>

  /// Makes the pool and begins to listen.
  /// - Throws: ``PlayServerError``, or what the pool's factory throws.
  public init(_ configuration: PlayConfiguration) async throws {
    let stage = Stage()
    try await stage.prepare(configuration)
    let files = try PageFiles()
    let origin = Origin()
    let server = HTTPServer(
      address: try .inet(ip4: "127.0.0.1", port: configuration.port), logger: .disabled,
      handler: PageHandler(files: files, origin: origin, stage: stage))
    let waiting = Task { try await server.waitUntilListening(timeout: 10) }
    let listening = Task {
      do { try await server.run() } catch {
        waiting.cancel()
        throw error
      }
    }
    do { try await waiting.value } catch {
      listening.cancel()
      let reason: any Error = if case .failure(let cause) = await listening.result { cause } else { error }
      throw PlayServerError.noPort(configuration.port, reason: "\(reason)")
    }
    guard case .ip4(_, let port) = await server.listeningAddress else {
      throw PlayServerError.noPort(configuration.port, reason: "it has no address")
    }
    origin.port = port
    address = URL(string: "http://127.0.0.1:\(port)/")!
    self.server = server
    self.listening = listening
  }

  /// Serves until ``stop()``, or until the task is cancelled.
  public func run() async throws {
    try await withTaskCancellationHandler {
      do { try await listening.value } catch is CancellationError {}
    } onCancel: {
      listening.cancel()
    }
  }

  /// Closes all pages' connections.
  public func stop() async { await server.stop(timeout: 1) }
}
