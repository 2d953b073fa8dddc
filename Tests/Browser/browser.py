"""A headless Chromium, driven through its DevTools protocol over a pair of pipes: the standard library only."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time


def find():
    """The path of a browser, or None."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


class Page:
    """One tab."""

    def __init__(self, browser, target):
        self.browser, self.target = browser, target
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def run(self, expression):
        """The value of an expression, awaited where it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def until(self, expression, seconds=30):
        end = time.monotonic() + seconds
        while not (value := self.run(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression}; the page says: {self.run('document.body?.innerText')}")
            time.sleep(0.05)
        return value

    def key(self, code, key, kind="press"):
        text = {"text": key} if len(key) == 1 else {}
        if kind in ("press", "down"):
            self.call("Input.dispatchKeyEvent", type="keyDown", code=code, key=key, **text)
        if kind in ("press", "up"):
            self.call("Input.dispatchKeyEvent", type="keyUp", code=code, key=key)

    def click(self, selector):
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def complaints(self):
        """Exceptions and refused resources so far."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"])
            if event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"])
        return found

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


class Browser:
    def __init__(self, path):
        self.profile = tempfile.mkdtemp(prefix="genie-browser-")
        self.downloads = os.path.join(self.profile, "downloads")
        (theirs_in, self.write_end), (self.read_end, theirs_out) = os.pipe(), os.pipe()

        def ends():  # the protocol reads from 3 and writes to 4
            first, second = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=ends, close_fds=False, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.rest, self.events = 0, b"", []
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") != self.number:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            return answer["result"]

    def _read(self):
        while b"\0" not in self.rest:
            part = os.read(self.read_end, 1 << 20)
            if not part:
                raise RuntimeError("the browser is gone")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, address):
        page = Page(self, self.call("Target.createTarget", url="about:blank")["targetId"])
        page.call("Page.navigate", url=address)
        return page

    def download(self, name, seconds=30):
        """The bytes of a file, once it is there."""
        path, end = os.path.join(self.downloads, name), time.monotonic() + seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise TimeoutError(f"{name} was not downloaded")
            time.sleep(0.05)
        with open(path, "rb") as file:
            data = file.read()
        os.remove(path)
        return data

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.write_end)
        os.close(self.read_end)
        shutil.rmtree(self.profile, ignore_errors=True)
