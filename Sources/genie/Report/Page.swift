import Foundation
import Reporting
import Safetensors
import Video

/// A report as a folder: one page that needs nothing from outside, beside its pictures.
struct Page {
  let title: String
  var lead: String
  /// Small, above the title.
  var overline = ""
  private var sections: [HTML] = []
  private var pictures: [(name: String, picture: Picture)] = []
  private var drawings: [(name: String, svg: String)] = []

  init(title: String, overline: String, lead: String) {
    self.title = title
    self.overline = overline
    self.lead = lead
  }

  /// Begins a section.
  mutating func section(_ heading: String, _ text: String) {
    sections.append("<h2>\(heading)</h2><p>\(text)</p>")
  }

  mutating func table(_ header: [String], _ rows: [[String]]) {
    let head = header.map { "<th>\($0)</th>" as HTML }
    let body = rows.map { row in
      "<tr>\(row.map { "<td>\($0)</td>" as HTML })</tr>" as HTML
    }
    sections.append("<table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table>")
  }

  /// A drawing, in the page and as a file of its own.
  mutating func drawing(_ name: String, _ chart: LineChart, alt: String) {
    drawings.append((name, chart.svg))
    sections.append("<figure><img style=\"width:100%\" src=\"\(name).svg\" alt=\"\(alt)\"></figure>")
  }

  mutating func picture(_ name: String, _ picture: Picture, caption: String) {
    pictures.append((name, picture))
    sections.append(
      """
      <figure><div class="sheet"><img src="\(name).png" loading="lazy" alt="\(caption)"></div>\
      <figcaption>\(caption)</figcaption></figure>
      """)
  }

  /// Films beside each other, and all their frames in a sheet.
  mutating func films(_ films: [Film], name: String) {
    guard !films.isEmpty else { return }
    for film in films { pictures.append(("\(name)-\(film.name)", film.strip.picture)) }
    pictures.append((name, Film.sheet(films)))
    sections.append(Film.gallery(films, name: name))
  }

  /// Terms and what they mean here.
  mutating func definitions(_ rows: [(String, String)]) {
    sections.append("<dl>\(rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as HTML })</dl>")
  }

  /// Writes pictures, figures and the page, each whole or not at all, the page last.
  /// - Returns: the page's file.
  @discardableResult
  func write(to folder: URL, figures: JSONReport, as file: String = "report.json") throws -> URL {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, picture) in pictures { try PNG.write(picture, to: folder.appending(path: name + ".png")) }
    for (name, svg) in drawings {
      try AtomicFile.write(Array(svg.utf8), to: folder.appending(path: name + ".svg"))
    }
    try figures.write(to: folder.appending(path: file))
    let html: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>\(ReportStyle.css)</style>
      </head>
      <body><main>
      <header><div class="overline">\(overline)</div><h1>\(title)</h1><p class="lead">\(lead)</p></header>
      \(sections)
      <p class="sans" style="font-size:0.88rem;color:var(--quiet)">All figures are in <a href="\(file)" \
      style="color:inherit">\(file)</a>.</p>
      </main></body>
      </html>

      """
    let page = folder.appending(path: "index.html")
    try AtomicFile.write(Array(html.text.utf8), to: page)
    return page
  }
}
