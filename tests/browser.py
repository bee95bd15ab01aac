"""A real Chromium without a window, by its DevTools protocol over a pipe: what a page does, and how it looks.

`python -m tests.browser PAGE.html PICTURE.png [WIDTH]` takes a picture.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PHONE, DESK = 390, 1280
NAMES = ("chromium", "google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
QUIET = ("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe", "about:blank")


def binary() -> str | None:
    """Where Chromium is: CHROMIUM_PATH, or what PATH has."""
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Seen:
    """What opening a page brought about."""

    errors: list[str] = field(default_factory=list)
    """Of its scripts, and what the console was told as an error."""
    requests: list[str] = field(default_factory=list)
    """Addresses that it asked for, its own aside; `data:` needs nobody."""
    overflow: int = 0
    """Pixels by which the page is wider than the window."""
    text: str = ""
    """What can be read."""
    picture: bytes = b""
    """PNG of the whole page."""


class Browser:
    """One tab. Messages are JSON, ended by a zero byte, on the file descriptors 3 and 4 of the process."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write, self._number, self._rest = read, write, 0, b""
        self._events: list[Mapping[str, Any]] = []
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def see(self, page: Path, width: int) -> Seen:
        """Open a page in a window so wide, and look."""
        phone = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width <= PHONE}
        self.ask("Emulation.setDeviceMetricsOverride", phone)
        self._events.clear()
        address = page.resolve().as_uri()
        self.ask("Page.navigate", {"url": address})
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._take()
        overflow = self.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        text = self.value("document.body.innerText")
        picture = self.ask("Page.captureScreenshot", {"captureBeyondViewport": True})["data"]
        seen = Seen(overflow=overflow, text=text, picture=base64.b64decode(picture))
        for event in self._events:
            _note(event, address, seen)
        return seen

    def value(self, script: str) -> Any:
        """What a script comes to."""
        return self.ask("Runtime.evaluate", {"expression": script, "returnByValue": True})["result"].get("value")

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Ask the tab."""
        return self._ask(method, params or {}, sessionId=self._session)

    def _ask(self, method: str, params: Mapping[str, Any], **more: str) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params, **more}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._take()).get("id") != self._number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _take(self) -> Mapping[str, Any]:
        while b"\0" not in self._rest:
            if not (more := os.read(self._read, 2**20)):
                raise RuntimeError("Chromium has gone")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: Mapping[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message


def _note(event: Mapping[str, Any], address: str, seen: Seen) -> None:
    method, params = event["method"], event["params"]
    if method == "Runtime.exceptionThrown":
        seen.errors.append(params["exceptionDetails"]["text"])
    elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
        seen.errors.append(str(params["args"]))
    elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
        seen.errors.append(params["entry"]["text"])
    elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith((address, "data:")):
        seen.requests.append(params["request"]["url"])


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium, ended with the block. Raises RuntimeError where there is none."""
    program = binary()
    if program is None:
        raise RuntimeError("no Chromium: make chromium, or CHROMIUM_PATH=/a/binary")
    (theirs, write), (read, back) = os.pipe(), os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs, back)]  # out of the way of 3 and 4
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its helpers write there a moment longer
        options = [*OPTIONS, f"--user-data-dir={profile}", *QUIET]
        wire = partial(list, map(os.dup2, ends, (3, 4)))
        process = subprocess.Popen([program, *options], close_fds=False, preexec_fn=wire, stderr=subprocess.DEVNULL)
        for end in (theirs, back, *ends):
            os.close(end)
        try:
            yield Browser(read, write)
        finally:
            process.terminate()
            process.wait()
            os.close(read)
            os.close(write)


def main(page: str, picture: str, width: str = str(DESK)) -> None:
    with browser() as tab:
        seen = tab.see(Path(page), int(width))
    Path(picture).write_bytes(seen.picture)
    print(f"errors {seen.errors}, requests {seen.requests}, too wide by {seen.overflow} pixels")


if __name__ == "__main__":
    main(*sys.argv[1:])
