import ArgumentParser
import Foundation
import WireProtocol

struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Makes the keys with which servers and agents know each other across machines.",
    discussion: """
      A server needs a pair of its own, and a list of the public keys that it lets in; an agent a pair of its own,
      and the server's public key:

        genie keys make server
        genie keys make agent
        genie keys allow agent.public --list clients
        genie serve --endpoint tcp://0.0.0.0:5555 --key server.secret --allow clients
        PPOAgent --endpoint tcp://HOST:5555 --key agent.secret --server-key server.public --out agent

      Every command that connects to a server takes these two. An agent of several servers names one public key:
      they have the pair in common.

      A key that is taken off the list is refused at once, without a restart.
      """, subcommands: [Make.self, Allow.self, Revoke.self])

  struct Make: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes NAME.secret, which only you can read, and NAME.public.")

    @Argument(help: "Where: a path without an extension.")
    var name: String

    func run() throws {
      let files = try KeyFile.write(try CurveKeyPair(), to: URL(filePath: name))
      print("\(files.secret.path): keep it secret\n\(files.public.path): give it to the other side")
    }
  }

  struct Allow: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts an agent's public key on a server's list.")

    @Argument(help: "The agent's NAME.public.")
    var key: String

    @Option(help: ArgumentHelp("The server's list; made where there is none.", valueName: "file"))
    var list: String

    func run() throws {
      let file = URL(filePath: list)
      let key = try KeyFile.publicKey(URL(filePath: key))
      let name = URL(filePath: self.key).deletingPathExtension().lastPathComponent
      if try !AllowList.add(key, named: name, to: file) { print("it is on the list already") }
    }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes an agent's public key off a server's list.")

    @Argument(help: "The agent's NAME.public.")
    var key: String

    @Option(help: ArgumentHelp("The server's list.", valueName: "file"))
    var list: String

    func run() throws {
      let file = URL(filePath: list)
      let key = try KeyFile.publicKey(URL(filePath: key))
      guard try AllowList.remove(key, from: file) else {
        throw ValidationError("That key is not on the list.")
      }
    }
  }
}
