import Foundation
import TestSupport
import Testing

@testable import Safetensors

struct AtomicFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func replacesAnOldFile() throws {
    let url = folder.file("x")
    try AtomicFile.write([1, 2, 3], to: url)
    try AtomicFile.write(Array([9, 4, 5][1...]), to: url)
    #expect([UInt8](try Data(contentsOf: url)) == [4, 5])
    #expect(try folder.names == ["x"])
  }

  /// A link stays one; a device is written to and stays one.
  @Test func whatIsNoFileStaysWhatItIs() throws {
    let link = folder.file("link")
    try AtomicFile.write([1], to: folder.file("x"))
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.file("x"))
    try AtomicFile.write([2], to: link)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == folder.file("x").path)
    #expect([UInt8](try Data(contentsOf: folder.file("x"))) == [2])
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let reader = open(pipe.path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    try AtomicFile.write([7, 8], to: pipe)
    var bytes: [UInt8] = [0, 0, 0]
    #expect(read(reader, &bytes, 3) == 2 && bytes == [7, 8, 0])
    try AtomicFile.write([1], to: URL(filePath: "/dev/null"))
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    #expect(try folder.names.sorted() == ["link", "pipe", "x"])
  }

  @Test func failureLeavesTheOldFileAndNothingElse() throws {
    let url = folder.file("x")
    try AtomicFile.write([1], to: url)
    #expect(throws: AtomicFileError.diskFull(path: "x")) {
      try AtomicFile.write(to: url) { output throws(AtomicFileError) in
        try output.write([7, 7])
        throw .diskFull(path: "x")
      }
    }
    #expect([UInt8](try Data(contentsOf: url)) == [1])
    #expect(try folder.names == ["x"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDiskIsItsOwnError() {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    #expect(throws: AtomicFileError.diskFull(path: "target")) {
      try AtomicFile.Output(descriptor: descriptor, path: "target").write([1])
    }
  }

  @Test func missingFolderIsItsOwnError() {
    let url = folder.file("none/x")
    #expect(throws: AtomicFileError.noFolder(path: url.path)) { try AtomicFile.write([1], to: url) }
  }

  @Test func targetThatIsAFolderLeavesNothing() throws {
    try FileManager.default.createDirectory(at: folder.file("x"), withIntermediateDirectories: true)
    #expect(throws: AtomicFileError.self) { try AtomicFile.write([1], to: folder.file("x")) }
    #expect(try folder.names == ["x"])
  }
}
