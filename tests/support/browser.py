"""A headless Chromium that opens pages, told what to do by the WebDriver protocol of chromedriver."""

import base64
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SWITCHES = ["--headless=new", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--no-first-run", "--no-default-browser-check"]


class Browser:
    """To be used by `with`."""

    def __init__(self, chromium, chromedriver):
        self._folder = tempfile.TemporaryDirectory(prefix="sae-browser-")
        # Errors of the browser itself, such as a missing D-Bus, are not the page's.
        self._driver = subprocess.Popen([chromedriver, "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        try:
            self._address = f"http://127.0.0.1:{self._port()}"
            self._start(chromium)
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self._driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                return int(found[1])
        raise AssertionError("chromedriver ended before it listened")

    def _start(self, chromium):
        switches = [*SWITCHES, f"--user-data-dir={self._folder.name}/profile",
                    *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"binary": chromium, "args": switches},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self._session = f"/session/{session['sessionId']}"

    def _call(self, method, path, body=None, within=60):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=within) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if hasattr(self, "_session"):
            self._call("DELETE", self._session)
        self._driver.terminate()
        self._driver.communicate()
        for _ in range(50):  # The last processes of the browser may still write into its folder.
            try:
                return self._folder.cleanup()
            except OSError:
                time.sleep(0.1)

    def _command(self, name, **parameters):
        """Of Chromium's own protocol."""
        return self._call("POST", f"{self._session}/goog/cdp/execute",
                          {"cmd": name, "params": parameters})

    def look_through(self, width, height=900, dark=False):
        """A window so large from now on, as a phone has it below 600 pixels."""
        phone = width < 600
        self._command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=2 if phone else 1, mobile=phone)
        self._command("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def print_media(self):
        """From now on the page looks as on paper."""
        self._command("Emulation.setEmulatedMedia", media="print")

    def open(self, path):
        self._call("POST", f"{self._session}/url", {"url": path.resolve().as_uri()})

    def run(self, script):
        """What the script, the body of a function, returns."""
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def messages(self):
        """Of the console since the last call: errors of scripts, what could not be loaded."""
        log = self._call("POST", f"{self._session}/se/log", {"type": "browser"})
        return [f"{entry['level']}: {entry['message']}" for entry in log]

    def screenshot(self, path, whole=False):
        """PNG of the window, or of the whole page."""
        if not whole:
            picture = self._call("GET", f"{self._session}/screenshot")
        else:
            picture = self._command("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(picture))
