import Foundation

/// The files of the page, each by its path: nothing else can be asked for.
struct PageFiles: Sendable {
  struct File: Sendable {
    var type: String
    var bytes: Data
  }

  private static let html = "text/html; charset=utf-8"
  private static let css = "text/css; charset=utf-8"
  private static let script = "text/javascript; charset=utf-8"

  private static let names: [(path: String, name: String, type: String)] =
    [("/", "index.html", html), ("/style.css", "style.css", css)]
    + [
      "main", "canvas", "wire", "episode", "keys", "clock", "pictures", "drawing", "brushes", "recording",
      "gif", "panels",
      "timeline",
    ].map { ("/\($0).js", "\($0).js", script) }

  private var files: [String: File] = [:]

  /// - Throws: ``PlayServerError/missingFile(_:)``
  init() throws(PlayServerError) {
    for (path, name, type) in Self.names {
      guard let url = Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Page"),
        let bytes = try? Data(contentsOf: url)
      else { throw .missingFile(name) }
      files[path] = File(type: type, bytes: bytes)
    }
  }

  subscript(path: String) -> File? { files[path] }
}
