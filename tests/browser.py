"""Headless Chromium, driven through its debugging pipe: opens a page as a person would, and says what it is like."""

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE, LAPTOP = 375, 1280


class Browser:
    """One page. `requests` are the addresses that it has asked for since it was opened, `refused` those among them that
    its own policy did not let out."""

    def __init__(self, write, read):
        self._write, self._read = write, read
        self._number, self._rest, self._session = 0, b"", None
        self._asked = {}
        self.requests, self.refused = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Return the result of one method of the Chrome DevTools Protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found["error"]
                return found["result"]

    def open(self, path, width=LAPTOP, scheme="light"):
        """Open a file at a width, in light or dark, and wait until it has loaded."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.requests.clear()
        self.refused.clear()
        self.call("Page.navigate", url=path.as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def print_view(self, scheme="light", media="print"):
        """Show the page as it is printed; with no `media` as on a screen again."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def ask(self, expression):
        """Return the value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key, code):
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text="")

    def picture(self, path):
        """Write a picture of the whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def _next(self):
        while b"\0" not in self._rest:
            got = os.read(self._read, 1 << 20)
            assert got, "Chromium ended"
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\0")
        found = json.loads(line)
        if found.get("method") == "Network.requestWillBeSent":
            self._asked[found["params"]["requestId"]] = found["params"]["request"]["url"]
            self.requests.append(found["params"]["request"]["url"])
        if found.get("method") == "Network.loadingFailed" and found["params"].get("blockedReason") == "csp":
            self.refused.append(self._asked[found["params"]["requestId"]])
        return found


@contextmanager
def opened(folder):
    """Start Chromium with its profile in `folder`, and end it."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    command = f'exec 3<&{to_read} 4>&{from_write}; exec "$0" "$@"'
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    flags += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "--disable-background-networking"]
    process = subprocess.Popen(
        ["bash", "-c", command, CHROMIUM, *flags], pass_fds=(to_read, from_write), stderr=subprocess.DEVNULL
    )
    for handle in (to_read, from_write):
        os.close(handle)
    try:
        yield Browser(to_write, from_read)
    finally:
        for handle in (to_write, from_read):
            os.close(handle)
        process.kill()
        process.wait()
