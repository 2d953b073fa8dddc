import Foundation
import TestSupport
import Testing

@Suite("genie benchmark")
struct BenchmarkTests {
  @Test("The figures that others read are in the JSON, with what was measured beside them")
  func json() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    // In PyTorch's place, one that takes 1 second for everything.
    let python = temporary.file("python")
    let script = "#!/bin/sh\nwhile read line; do echo '{\"seconds\": 1, \"torch\": \"9\"}'; done\n"
    try Data(script.utf8).write(to: python)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python.path)
    let file = temporary.file("figures.json")
    let result = try CommandLineTool.run(
      "benchmark", "sampling", "training", "--worlds", "2", "--steps", "2", "--clips", "2", "--time", "4",
      "--frames", "8", "--repeats", "1", "--threads", "2", "--baseline", python.path, "--profile", "--quiet",
      "--json", file.path)
    #expect(result.status == 0, "\(result.errors)")
    let figures = try CommandLineTool.json(file)
    for (part, keys) in [
      (
        "sampling",
        [
          "frames_per_second", "ratio_to_torch_cached", "fraction_of_peak", "last_to_first_quarter",
          "world_megabytes",
        ]
      ), ("training", ["tokens_per_second", "ratio_to_torch", "fraction_of_peak", "ratio_to_one_thread"]),
    ] {
      let object = try #require(figures[part] as? [String: Any])
      for key in keys { #expect((object[key] as? Double ?? 0) > 0, "\(part).\(key)") }
      #expect((object["fraction_of_peak"] as? Double ?? 9) < 2, "no work is that fast")
      let configuration = try #require(object["configuration"] as? [String: Any])
      #expect(configuration["model"] as? String == "tiny" && configuration["torch"] as? String == "9")
      #expect((object["profile"] as? [String: Any])?.isEmpty == false)
    }
    // Half a second a world, since one thread's second counts twice on two threads.
    let sampling = try #require(figures["sampling"] as? [String: Any])
    #expect(sampling["torch_cached_frames_per_second"] as? Double == 4)
  }

  @Test("A command line that makes no sense is refused")
  func refusal() throws {
    #expect(try CommandLineTool.run("benchmark", "--worlds", "0").status == 2)
    #expect(try CommandLineTool.run("benchmark", "--model", "huge").status == 2)
    let result = try CommandLineTool.run("benchmark", "sampling", "--baseline", "/nowhere/python")
    #expect(result.status == 1 && result.errors.contains("/nowhere/python"))
  }
}
