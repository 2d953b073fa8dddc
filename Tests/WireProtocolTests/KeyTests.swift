import Foundation
import TestSupport
import Testing
import WireProtocol

@Suite struct KeyTests {
  @Test func keysSurviveTheirFiles() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let pair = try CurveKeyPair()
    let files = try KeyFile.write(pair, to: temporary.url.appending(path: "agent"))
    #expect(try KeyFile.pair(files.secret) == pair)
    #expect(try KeyFile.publicKey(files.public) == pair.publicKey)
    #expect(throws: KeyError.exists(file: files.secret.path)) {
      try KeyFile.write(pair, to: temporary.url.appending(path: "agent"))
    }
  }

  @Test func aSecretThatOthersCanReadIsRefused() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let files = try KeyFile.write(try CurveKeyPair(), to: temporary.url.appending(path: "agent"))
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: files.secret.path)
    #expect(throws: KeyError.exposed(file: files.secret.path)) { try KeyFile.pair(files.secret) }
  }

  @Test(arguments: ["", "short", String(repeating: "a", count: 41), "# nothing"]) func whatIsNoKeyIsTyped(
    _ text: String
  ) throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.url.appending(path: "key")
    try Data(text.utf8).write(to: file)
    #expect(throws: KeyError.notAKey(file: file.path, line: 1)) { try KeyFile.publicKey(file) }
  }

  /// What writes the list reads it as the server does.
  @Test func keysArePutOnTheListAndTakenOff() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.url.appending(path: "clients")
    let (one, other) = (try CurveKeyPair().publicKey, try CurveKeyPair().publicKey)
    // Lines of other systems, a key that is only told of, and one that is not at the beginning of its line.
    try Data("# \(one) was here\r\n  \(other) theirs".utf8).write(to: file)
    #expect(try AllowList.add(one, named: "mine", to: file))
    #expect(try !AllowList.add(one, named: "mine", to: file))
    #expect(try AllowList(file).contains(one.description) && AllowList(file).contains(other.description))
    #expect(try AllowList.remove(other, from: file))
    #expect(try !AllowList.remove(other, from: file))
    let list = try AllowList(file)
    #expect(list.contains(one.description) && !list.contains(other.description))
    #expect(try String(contentsOf: file, encoding: .utf8).contains("was here"))
    let foreign = Data([0x23, 0x20, 0xE9, 0x0A])
    try foreign.write(to: file)
    #expect(throws: KeyError.unreadable(file: file.path)) { try AllowList.add(one, named: "", to: file) }
    #expect(try Data(contentsOf: file) == foreign, "left as it is")
  }

  /// Of a link, too, what it leads to is looked at.
  @Test(arguments: [false, true]) func theListIsReadAgainWhenItChanges(isLinked: Bool) throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.url.appending(path: "clients")
    let (one, other) = (try CurveKeyPair().publicKey, try CurveKeyPair().publicKey)
    try Data("# friends\n\n\(one) one of them\n".utf8).write(to: file)
    let link = temporary.url.appending(path: "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
    let list = try AllowList(isLinked ? link : file)
    #expect(list.contains(one.description) && !list.contains(other.description))
    try Data("# friends\n\(other)\n".utf8).write(to: file)
    Thread.sleep(forTimeInterval: 0.35)
    #expect(!list.contains(one.description) && list.contains(other.description))
    try Data("\(other)\nnonsense\n".utf8).write(to: file)
    Thread.sleep(forTimeInterval: 0.35)
    #expect(!list.contains(other.description), "a list that cannot be read lets nobody in")
    #expect(throws: KeyError.notAKey(file: file.path, line: 2)) { try AllowList(file) }
  }
}
