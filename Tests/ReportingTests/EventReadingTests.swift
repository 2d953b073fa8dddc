import Foundation
import Testing

@testable import Reporting

struct EventReadingTests {
  @Test func scalarsComeBack() throws {
    try inFolder { folder in
      let events = try EventFile(folder: folder)
      try events.scalars(["charts/a": 1.5, "charts/b": -2], step: 0)
      try events.picture("sheet", png: [1, 2, 3], height: 4, width: 5, step: 1)
      try events.scalar("charts/a", 2.5, step: 1 << 40)
      try Data("not an event".utf8).write(to: folder.appending(path: "checkpoint.safetensors"))
      #expect(
        try EventFile.read(folder) == [
          "charts/a": [.init(step: 0, value: 1.5), .init(step: 1 << 40, value: 2.5)],
          "charts/b": [.init(step: 0, value: -2)],
        ])
    }
  }

  @Test func aResumedRunReplacesWhatItRepeats() throws {
    try inFolder { folder in
      let killed = try EventFile(folder: folder, now: { Date(timeIntervalSince1970: 1_700_000_000) })
      for step in 1...4 { try killed.scalar("a", Double(step), step: step) }
      let resumed = try EventFile(folder: folder, now: { Date(timeIntervalSince1970: 1_700_000_009) })
      for step in 3...5 { try resumed.scalar("a", Double(10 * step), step: step) }
      let scalars = try EventFile.read(folder)["a"]
      #expect(scalars?.map(\.step) == [1, 2, 3, 4, 5])
      #expect(scalars?.map(\.value) == [1, 2, 30, 40, 50])
    }
  }

  @Test func aFileThatWasCutOffGivesWhatIsWhole() throws {
    try inFolder { folder in
      let events = try EventFile(folder: folder)
      for step in 1...3 { try events.scalar("a", 1, step: step) }
      let whole = try Data(contentsOf: events.url)
      var counts: Set<Int> = []
      for length in 0...whole.count {
        try whole.prefix(length).write(to: events.url)
        counts.insert(try EventFile.read(folder)["a"]?.count ?? 0)
      }
      #expect(counts == [0, 1, 2, 3])
    }
  }

  @Test func aDamagedFileIsAnError() throws {
    try inFolder { folder in
      let events = try EventFile(folder: folder)
      try events.scalar("a", 1, step: 1)
      let whole = try Data(contentsOf: events.url)
      for index in whole.indices {
        var bytes = whole
        bytes[index] ^= 0x10
        try bytes.write(to: events.url)
        #expect(throws: EventFile.Unreadable.self) { try EventFile.read(folder) }
      }
    }
  }

  @Test func whatIsNoMessageIsDamaged() {
    // An unknown wire type, a varint without end, a length beyond the end, and one beyond any memory.
    let huge: [UInt8] = [0x0a] + [UInt8](repeating: 0xff, count: 9) + [0x01]
    for bytes: [UInt8] in [[0x0b], [UInt8](repeating: 0x80, count: 11), [0x0a, 2, 1], [0x0d, 1], huge] {
      var reader = ProtocolBufferReader(bytes[...])
      while reader.next() != nil {}
      #expect(reader.isDamaged, "\(bytes)")
    }
  }

  @Test func aFolderThatIsMissingIsAnError() {
    let folder = FileManager.default.temporaryDirectory.appending(path: "none-\(UUID().uuidString)")
    #expect(throws: EventFile.Unreadable.self) { try EventFile.read(folder) }
  }

  private func inFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try body(folder)
  }
}
