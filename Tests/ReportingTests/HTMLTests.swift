import Testing

@testable import Reporting

struct HTMLTests {
  @Test func textIsEscapedAndMarkupIsNot() {
    let name = "<b>\"Tom\" & 'Jerry'</b>"
    let cell: HTML = "<td title=\"\(name)\">\(name)</td>"
    let escaped = "&lt;b&gt;&quot;Tom&quot; &amp; &#39;Jerry&#39;&lt;/b&gt;"
    #expect(cell.text == "<td title=\"\(escaped)\">\(escaped)</td>")
    let row: HTML = "<tr>\(cell)\([cell, "<td>\(7)</td>"])</tr>"
    #expect(row.text == "<tr>\(cell.text)\(cell.text)<td>7</td></tr>")
  }

  @Test func lettersOfAllScriptsStay() {
    let name = "Пиксель 👩‍🚀 e\u{301}"
    let html: HTML = "\(name)"
    #expect(html.text == name)
  }
}
