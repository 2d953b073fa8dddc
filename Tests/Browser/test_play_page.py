"""The page of `genie play` in a real browser: what a person does, and what somebody ill-disposed would."""

import itertools
import json
import random
import struct
import zlib

HASH = "(pixels) => pixels.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7)"


def frames(page):
    """A number for each frame of the episode; equal ones are equal bit for bit, but for chance."""
    return page.run(f"genie.focus.frames.map((frame) => ({HASH})(frame.pixels))")


def press(page, digits):
    for digit in digits:
        count = page.run("genie.focus.frames.length")
        page.key(f"Digit{digit}", str(digit))
        page.until(f"genie.focus.frames.length === {count + 1}")


def walk(page, digits):
    """Presses as many keys as there are digits, whatever the world does: a key that ends the episode is taken
    back, with the three before it, or twice as many as the last time where that led no further, and others are
    drawn: pressed in any order that repeats itself, they could lead to the same ends for ever."""
    target = page.run("genie.focus.frames.length") + len(digits)
    keys, furthest, back = random.Random(1), 0, 4
    for digit in itertools.chain(digits, (keys.choice(digits) for _ in range(19 * len(digits)))):
        press(page, digit)
        count = page.run("genie.focus.frames.length")
        if page.run("genie.focus.hasEnded"):
            back = 4 if count > furthest else 2 * back
            furthest = max(furthest, count)
            page.run(f"genie.focus.rewind({max(0, count - 1 - back)})")
        elif count == target:
            return
    raise AssertionError("whatever is pressed, the episode ends")


def drop(page, name, kind, content):
    """Drops a file; content is an expression for its parts."""
    page.run(f"""(async () => {{
      const transfer = new DataTransfer();
      transfer.items.add(new File([await {content}], {json.dumps(name)}, {{ type: {json.dumps(kind)} }}));
      dispatchEvent(new DragEvent("drop", {{ dataTransfer: transfer }}));
    }})()""")


PICTURE = """(async () => {
  const canvas = new OffscreenCanvas(300, 200);
  const context = canvas.getContext("2d");
  for (let i = 0; i < 40; i += 1) {
    context.fillStyle = `hsl(${i * 9} 80% 50%)`;
    context.fillRect(i * 8, 0, 8, 200);
  }
  return canvas.convertToBlob();
})()"""


def decoded_png(data):
    """Width, height and the bytes of all lines: checks every chunk on the way."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at:at + 4]), data[at + 4:at + 8]
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    return width, height, zlib.decompress(packed)


def test_a_picture_is_dropped_and_walked_into(page):
    before = frames(page)
    drop(page, "picture.png", "image/png", PICTURE)
    page.until("genie.focus.origin.pixels !== undefined && genie.focus.frames.length === 1")
    assert frames(page) != before
    assert page.run("genie.focus.canvas.width") == 64
    press(page, "3")
    assert len(set(frames(page))) == 2


def test_fifty_keys_change_the_frames_and_rewinding_restores_them(page):
    walk(page, "376258147" * 5 + "37625")
    seen = frames(page)
    assert len(seen) == 51 and len(set(seen)) > 10
    last = page.run("genie.focus.frames.map((frame) => frame.action)")
    for number in (37, 16, 5, 0):
        page.run(f"genie.focus.rewind({number})")
        assert frames(page) == seen[:number + 1]
    # The same actions lead the same way again, and so does the log.
    for action in last[1:21]:
        page.run(f"genie.focus.step({action})")
    assert frames(page) == seen[:21]
    log = page.run("import('/recording.js').then(({ logOf }) => JSON.stringify(logOf(genie.focus)))")
    page.run("genie.start({ level: 3, seed: 9 })")
    drop(page, "episode.json", "application/json", json.dumps(log))
    page.until("genie.focus.frames.length === 21")
    assert frames(page) == seen[:21]


def test_looking_back_and_pressing_a_key_goes_on_from_there(page):
    press(page, "222222")
    seen = frames(page)
    page.key("Comma", ",")
    page.key("Comma", ",")
    assert page.run("genie.focus.shown") == 4 and len(frames(page)) == 7
    page.key("Digit1", "1")
    page.until("genie.focus.frames.length === 6")
    assert frames(page)[:5] == seen[:5]


def test_arrows_are_actions_by_name(page):
    names = page.run("genie.welcome.actionNames")
    for codes, name in ((["ArrowRight"], "right"), (["ArrowLeft"], "left"), (["ArrowRight", "Space"], "jump-right")):
        for code in codes:
            page.run(f"genie.keys.press(genie.keys.meaning({{ code: '{code}' }}))")
        assert names[page.run("genie.keys.held")] == name
        page.run("genie.keys.releaseAll()")


def test_a_branch_is_compared(page):
    press(page, "2222")
    page.key("Comma", ",")
    page.key("KeyB", "b")
    page.until("genie.panes.length === 2 && genie.panes[1].frames.length === 4")
    press(page, "1")
    first, second = page.run(f"genie.panes.map((one) => one.frames.map((frame) => ({HASH})(frame.pixels)))")
    assert len(first) == len(second) == 5 and first[:4] == second[:4] and first[4] != second[4]
    assert "pixels differ" in page.run("genie.panes[1].caption.textContent")
    page.click("#unbranch")
    page.until("genie.panes.length === 1")
    page.key("Period", ".")
    press(page, "3")


def test_recordings_download_and_decode(page, browser):
    press(page, "28172817")
    page.click("#save-gif")
    gif = browser.download("genie.gif")
    assert gif[:6] == b"GIF89a" and struct.unpack("<HH", gif[6:10]) == (256, 256) and gif[-1:] == b";"
    # The browser's own decoder reads every frame, and the first is the world's but for the palette.
    count = page.run(f"""(async () => {{
      const bytes = Uint8Array.from({json.dumps(list(gif))});
      const decoder = new ImageDecoder({{ data: bytes, type: "image/gif" }});
      await decoder.tracks.ready;
      const count = decoder.tracks.selectedTrack.frameCount;
      let worst = 0;
      for (let number = 0; number < count; number += 1) {{
        const {{ image }} = await decoder.decode({{ frameIndex: number }});
        const canvas = new OffscreenCanvas(64, 64);
        const context = canvas.getContext("2d");
        context.imageSmoothingEnabled = false;
        context.drawImage(image, 0, 0, 64, 64);
        const {{ data }} = context.getImageData(0, 0, 64, 64);
        const {{ pixels }} = genie.focus.frames[number];
        let sum = 0;
        for (let i = 0; i < pixels.length; i += 1) sum += Math.abs(pixels[i] - data[Math.floor(i / 3) * 4 + (i % 3)]);
        worst = Math.max(worst, sum / pixels.length);
      }}
      return [count, worst];
    }})()""")
    assert count[0] == 9 and count[1] < 4
    page.click("#save-sheet")
    width, height, lines = decoded_png(browser.download("genie.png"))
    assert (width, height) == (4 + 8 * 132, 4 + 2 * 132) and len(lines) in (height * (1 + 3 * width), height * (1 + 4 * width))
    page.click("#save-log")
    log = json.loads(browser.download("genie-episode.json"))
    assert log["actions"] == [1, 7, 0, 6] * 2 and log["level"] == 0
    if page.run("import('/recording.js').then(({ filmType }) => filmType())"):
        kind = page.run("import('/recording.js').then(({ filmType }) => filmType())")
        page.click("#save-film")
        film = browser.download("genie.mp4" if kind.startswith("video/mp4") else "genie.webm")
        assert film[4:8] == b"ftyp" or film[:4] == b"\x1aE\xdf\xa3"


def test_a_drawing_is_stepped_into(page):
    page.click("#draw")
    assert page.run("document.querySelectorAll('.brushes button').length") > 8
    page.run("document.querySelector('.paper').focus()")
    page.key("ArrowDown", "ArrowDown")
    page.key("ArrowRight", "ArrowRight")
    page.key("Enter", "Enter")
    page.click(".step-inside")
    page.until("genie.focus.origin.pixels !== undefined")
    press(page, "33")


def test_the_world_s_insides_are_shown_and_turned(page):
    press(page, "33")
    page.run("{ const chart = document.querySelector('#chart'); chart.value = 'tokens'; "
             "chart.dispatchEvent(new Event('change')); }")
    page.until("genie.focus.frame.chart !== null")
    assert page.run("genie.focus.frame.chart.values.length") == page.run("genie.focus.overlay.width ** 2")
    page.run("genie.focus.tune({ 'MaskGIT steps': 8, temperature: 2 })")
    press(page, "33")
    hot = frames(page)
    page.run("genie.focus.rewind(3)")
    page.run("genie.focus.step(2)")
    assert frames(page) == hot
    # The numbers stay as they were turned, also for what is played from an earlier frame.
    page.run("genie.focus.rewind(1)")
    page.run("genie.focus.step(2)")
    assert page.run("genie.focus.turns") == [[1, {"MaskGIT steps": 8, "temperature": 2}]]
    page.click("#show-actions")
    page.until("!document.querySelector('.action canvas').hidden")


def test_dreamt_and_new_levels_start(page):
    page.key("KeyM", "m")
    page.until("genie.focus.origin.level === undefined && genie.focus.frames.length === 1")
    page.key("KeyN", "n")
    page.until("genie.focus.origin.level !== undefined")


def test_broken_and_oversized_pictures_are_refused(page):
    for name, content, word in (
            ("broken.png", "Promise.resolve('no picture at all')", "not a picture"),
            ("half.png", f"{PICTURE}.then((blob) => blob.slice(0, 40))", "not a picture"),
            ("large.png", "Promise.resolve(new Uint8Array(65 << 20))", "larger than"),
            ("no-log.json", "Promise.resolve('{\"format\": 3}')", "no log")):
        page.run("document.querySelector('#notice').textContent = ''")
        drop(page, name, "application/json" if name.endswith("json") else "image/png", content)
        page.until(f"document.querySelector('#notice').textContent.includes({json.dumps(word)})")
    press(page, "3")


def test_two_tabs_play_on_their_own(page, browser, world):
    other = browser.open(world)
    other.until("globalThis.genie?.focus.frames.length === 1")
    page.call("Page.bringToFront")
    press(page, "333")
    other.call("Page.bringToFront")
    press(other, "111")
    assert frames(page)[0] == frames(other)[0] and frames(page)[1:] != frames(other)[1:]
    # Closed in the middle of a step.
    other.run("void genie.focus.step(0)")
    other.close()
    page.call("Page.bringToFront")
    press(page, "3")


def test_the_real_game_is_played_too(browser, game):
    page = browser.open(game)
    page.until("globalThis.genie?.focus.frames.length === 1")
    assert page.run("genie.welcome.name") == "Platformer-v1"
    for count in (2, 3, 4):
        page.key("ArrowRight", "ArrowRight")
        page.until(f"genie.focus.frames.length === {count}")
    seen = frames(page)
    page.run("genie.focus.rewind(1)")
    assert frames(page) == seen[:2]
    drop(page, "picture.png", "image/png", PICTURE)
    page.until("document.querySelector('#notice').textContent.includes('levels only')")
    assert page.complaints() == []
    page.close()


def test_time_runs_on_in_the_episode_after_an_end(browser, game):
    page = browser.open(game)
    page.until("globalThis.genie?.focus.frames.length === 1")
    page.run("""(async () => {
      await genie.start({ level: 11, seed: 4 });
      while (!genie.focus.hasEnded) await genie.focus.step(3);
    })()""")
    page.key("KeyT", "t")
    assert page.run("document.querySelector('#flow').checked && genie.focus.hasEnded")
    page.key("Backspace", "Backspace")
    page.until("!genie.focus.hasEnded && genie.focus.frames.length > 3")
    assert page.complaints() == []
    page.close()


def test_actions_are_shown_from_the_frame_that_is_shown(browser, game):
    page = browser.open(game)
    page.until("globalThis.genie?.focus.frames.length === 1")
    for _ in range(5):
        page.run("genie.focus.step(2)")
    seen = frames(page)
    for _ in range(3):
        page.key("Comma", ",")
    assert page.run("genie.focus.shown") == 2 and seen[2] != seen[5]
    page.run("void (genie.actions.show = (sheet) => { globalThis.films = sheet; })")
    page.click("#show-actions")
    page.until("globalThis.films !== undefined")
    size = "genie.focus.frame.pixels.length"
    assert page.run(f"({HASH})(films.pixels.subarray(0, {size}))") == seen[2]
    assert len(frames(page)) == 6, "looking leaves the episode alone"
    assert page.complaints() == []
    page.close()


def test_a_remote_world_is_played_too(browser, remote):
    page = browser.open(remote)
    page.until("globalThis.genie?.focus.frames.length === 1")
    walk(page, "376258147" * 2)
    seen = frames(page)
    for number in (17, 4):
        page.run(f"genie.focus.rewind({number})")
        assert frames(page) == seen[:number + 1]
    assert page.complaints() == []
    page.close()


def test_thirty_frames_a_second(page, capsys):
    """Lenient, for a machine that has other work; `pytest -s` prints the figures."""
    page.run("genie.clock.framesPerSecond = 30")
    page.key("Digit7", "7", "down")
    page.until("genie.focus.frames.length > 75 || genie.focus.hasEnded")
    rate = page.run("genie.clock.rate")
    page.key("Digit7", "7", "up")
    page.run("genie.start({ level: 0, seed: 0 })")
    walk(page, "72" * 20)
    half, most = page.run("import('/clock.js').then(({ quantile }) => [0.5, 0.95].map("
                          "(share) => quantile(genie.clock.latencies.slice(-40), share)))")
    with capsys.disabled():
        print(f"\n{rate:.1f} frames a second; key to frame {half:.0f} ms, 95% within {most:.0f} ms")
    assert rate > 8 and most < 500
