"""Chromium, headless, spoken to by the DevTools protocol through a pipe: JSON messages that end in NUL.

No driver and no library: what the tests need are a dozen calls. https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,CertificateTransparencyComponentUpdater,Translate",
    "--metrics-recording-only",
    "--no-pings",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--window-size=980,700",
    "--remote-debugging-pipe",
)
_SECONDS = 20.0
_START = """import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(reads, 3)  # where DevTools reads
os.dup2(writes, 4)  # and writes
os.execvp(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """The browser, None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


class Chromium:
    """One browser, on a home directory of its own whose trust store is ready. `flags` say how it finds its proxy."""

    def __init__(self, home: Path, *flags: str) -> None:
        self._home = home
        self._flags = flags
        self._number = 0
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()

    def __enter__(self) -> Self:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        command = [str(program()), *_FLAGS, f"--user-data-dir={self._home / 'profile'}", *self._flags]
        self._log = (self._home / "chromium.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), *command, "about:blank"],
            env={"HOME": str(self._home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self._reader = threading.Thread(target=self._read, daemon=True, name="devtools")
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(_SECONDS)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            self._reader.join(_SECONDS)  # the pipe has ended with the browser
            with contextlib.suppress(BrokenPipeError):
                self._out.close()
            self._in.close()
            self._log.close()

    def page(self, url: str, *, first: str = "") -> Page:
        """A new tab at that address, loaded; `first` is a script that runs before each page's own."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        page.call("Page.enable")
        page.call("Network.enable")
        if first:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=first)
        page.go(url)
        return page

    def call(self, method: str, *, session: str = "", **parameters: object) -> dict[str, Any]:
        """What a method answers. Raises AssertionError where it fails, or says nothing in time."""
        self._number += 1
        number = self._number
        self._answers[number] = waiting = queue.Queue()
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        try:
            answer = waiting.get(timeout=_SECONDS)
        except queue.Empty:
            raise AssertionError(f"the browser did not answer {method}") from None
        finally:
            del self._answers[number]
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def event(self, method: str, session: str, *, seconds: float = _SECONDS) -> dict[str, Any]:
        """The next event of that kind; events of other kinds that come before are forgotten."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                event = self._events.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"the browser told of no {method}") from None
            if event["method"] == method and event.get("sessionId") == session:
                parameters: dict[str, Any] = event["params"]
                return parameters

    def _read(self) -> None:
        buffer = b""
        while data := os.read(self._in.fileno(), 1 << 16):
            *messages, buffer = (buffer + data).split(b"\0")
            for text in messages:
                message = json.loads(text)
                if "id" in message:
                    if (waiting := self._answers.get(message["id"])) is not None:
                        waiting.put(message)
                else:
                    self._events.put(message)


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        self.protocol = self.issuer = ""
        """Of the page's own document: the protocol it came by, and who signed the certificate."""

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """A method of this tab."""
        return self._browser.call(method, session=self._session, **parameters)

    def go(self, url: str) -> None:
        """Load another address."""
        failed = self.call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        while True:
            event = self._browser.event("Network.responseReceived", self._session)
            if event["type"] == "Document":
                break
        response = event["response"]
        self.protocol = response.get("protocol", "")
        self.issuer = response.get("securityDetails", {}).get("issuer", "")
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """What an expression is worth; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, *, seconds: float = 10.0) -> None:
        """Block until an expression is true. Raises AssertionError, with what the page shows."""
        deadline = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > deadline:
                raise AssertionError(f"not true in time: {condition}\n{self.run('document.body.innerText')}")
            time.sleep(0.03)

    def type(self, selector: str, text: str) -> None:
        """Type into a field, as a person with a fast hand does, and press Enter."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Enter",
                code="Enter",
                windowsVirtualKeyCode=13,
                text="\r",
            )

    def picture(self, file: Path) -> None:
        """Keep what is seen."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))
