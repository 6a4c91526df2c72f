"""Firefox without a screen, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which needs no driver."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import websocket
from PIL import Image


class Firefox:
    def __init__(self, seconds=60):
        self.profile = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            [os.environ.get("PLEAT_FIREFOX", "firefox-esr"), "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        address = next(filter(None, (re.search(r"BiDi listening on (ws://\S+)", line) for line in self.process.stderr)))
        self.socket = websocket.create_connection(f"{address[1]}/session", timeout=seconds, suppress_origin=True)
        self.sent = 0
        self.said = []  # by the console
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded"])
        self.context = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method, **parameters):
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.sent:
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.said.append(answer["params"]["text"])
        assert answer["type"] == "success", answer
        return answer["result"]

    def open(self, page, state):
        self.command("browsingContext.navigate", context=self.context, url=f"file://{page}#{state}", wait="complete")

    def value_of(self, expression):
        found = self.command("script.evaluate", expression=expression, target={"context": self.context}, awaitPromise=True)
        assert found["type"] == "success", found
        return found["result"].get("value")

    def wait(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while not self.value_of(expression):
            assert time.monotonic() < end, (expression, self.said)
            time.sleep(0.05)

    def picture(self, selector):
        """The element as it is seen."""
        element = self.command("browsingContext.locateNodes", context=self.context,
                               locator={"type": "css", "value": selector})["nodes"][0]
        shot = self.command("browsingContext.captureScreenshot", context=self.context, origin="document",
                            clip={"type": "element", "element": {"sharedId": element["sharedId"]}})
        return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stderr.close()
        shutil.rmtree(self.profile, ignore_errors=True)
