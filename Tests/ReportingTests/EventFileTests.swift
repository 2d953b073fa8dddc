import Foundation
import Testing

@testable import Reporting

struct EventFileTests {
  @Test func checksumsOfTheStandard() {
    // RFC 3720, B.4, and the customary "123456789".
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.checksum(0..<32) == 0x46dd_794e)
    #expect(CRC32C.checksum("123456789".utf8) == 0xe306_9283)
  }

  @Test func varintsAreLittleEndianGroupsOfSeven() {
    var buffer = ProtocolBuffer()
    buffer.append(2, varint: 300)
    buffer.append(1, varint: UInt64(bitPattern: -1))
    #expect(buffer.bytes == [0x10, 0xac, 0x02, 0x08] + [UInt8](repeating: 0xff, count: 9) + [0x01])
  }

  @Test func recordsParseBack() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let time = Date(timeIntervalSince1970: 1_700_000_000.5)
    let events = try EventFile(folder: folder, now: { time })
    try events.scalar("tokenizer/loss", 0.5, step: 3)
    try events.scalars(["a": 1, "b": -2], step: 1_000_000)
    try events.picture("sheet", png: [1, 2, 3], height: 4, width: 5, step: 7)
    #expect(events.url.lastPathComponent.hasPrefix("events.out.tfevents.1700000000."))

    let records = try Self.records([UInt8](Data(contentsOf: events.url)))
    #expect(records.count == 4)
    // wall time: field 1, fixed64.
    let wall = [0x09] + littleEndian(time.timeIntervalSince1970.bitPattern)
    #expect(records.allSatisfy { Array($0.prefix(9)) == wall })
    let version = Array("brain.Event:2".utf8)
    #expect(Array(records[0].dropFirst(9)) == [0x1a, 13] + version)
    let tag = Array("tokenizer/loss".utf8)
    let value = [0x0a, UInt8(tag.count)] + tag + [0x15] + littleEndian(Float(0.5).bitPattern)
    let summary = [0x0a, UInt8(value.count)] + value
    #expect(Array(records[1].dropFirst(9)) == [0x10, 3, 0x2a, UInt8(summary.count)] + summary)
    #expect(Array(records[2].dropFirst(9).prefix(4)) == [0x10, 0xc0, 0x84, 0x3d])
    #expect(Array(records[3].suffix(11)) == [0x08, 4, 0x10, 5, 0x18, 3, 0x22, 3, 1, 2, 3])
  }

  @Test func twoRunsInOneSecondKeepTheirFiles() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let now = { Date(timeIntervalSince1970: 1) }
    let first = try EventFile(folder: folder, now: now)
    let second = try EventFile(folder: folder, now: now)
    #expect(first.url != second.url)
  }

  @Test func folderThatCannotBeMadeIsAnError() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(throws: EventFile.Failure.self) { try EventFile(folder: file.appending(path: "sub")) }
  }

  /// The records of a file, their checksums checked.
  private static func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    var rest = bytes[...]
    func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    while !rest.isEmpty {
      let length = rest.prefix(8)
      try #require(number(rest.dropFirst(8).prefix(4)) == UInt64(CRC32C.masked(length)))
      rest = rest.dropFirst(12)
      let data = rest.prefix(Int(number(length)))
      rest = rest.dropFirst(data.count)
      try #require(number(rest.prefix(4)) == UInt64(CRC32C.masked(data)))
      rest = rest.dropFirst(4)
      records.append(Array(data))
    }
    return records
  }
}
