import os
import re
import subprocess

import pytest

import browser as chromium


@pytest.fixture(scope="session")
def browser():
    path = chromium.find()
    if path is None:
        pytest.skip("no browser: install chromium (apt-get install chromium) or set CHROMIUM")
    browser = chromium.Browser(path)
    yield browser
    browser.close()


GENIE = os.environ.get("GENIE", ".build/release/genie")


def serve(*arguments):
    """Starts `genie play` and gives the process and its address."""
    process = subprocess.Popen(
        [GENIE, "play", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    address = re.fullmatch(r"playing at (http://127\.0\.0\.1:\d+/)\n", line)
    assert address, f"the server says {line!r}"
    return process, address[1]


@pytest.fixture(scope="session")
def world():
    process, address = serve()
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def game():
    process, address = serve("--game", "platformer")
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def remote(tmp_path_factory):
    endpoint = f"ipc://{tmp_path_factory.mktemp('server')}/genie.sock"
    server = subprocess.Popen(
        [GENIE, "serve", "--endpoint", endpoint], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout.readline().startswith("serving at")
    process, address = serve("--endpoint", endpoint)
    yield address
    for each in (process, server):
        each.terminate()
        each.wait()


@pytest.fixture
def page(browser, world):
    page = browser.open(world)
    page.until("globalThis.genie?.focus.frames.length === 1 && genie.gallery.levels.length > 0")
    yield page
    assert page.complaints() == []
    page.close()
