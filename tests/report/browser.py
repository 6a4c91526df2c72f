"""Pages of `pleat report` in a real Chromium without a screen, and what it says of them."""

import io
import json
import os
import time
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

OPTIONS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader",
           "--enable-unsafe-swiftshader", "--force-device-scale-factor=1", "--window-size=1280,1000"]


class Browser:
    def __init__(self, downloads):
        self.downloads = Path(downloads)
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("PLEAT_CHROMIUM", "/usr/bin/chromium")
        for option in OPTIONS:
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(os.environ.get("PLEAT_CHROMEDRIVER",
                                                                                       "/usr/bin/chromedriver")))
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def size(self, width, height=1000, dark=False):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page, state=""):
        """Waits until the page's script has done its work."""
        self.driver.get("about:blank")
        self.problems()
        self.driver.get(f"file://{page}" + (f"#{state}" if state else ""))
        self.wait("return document.documentElement.dataset.ready === 'yes'")

    def wait(self, script, *arguments, seconds=60):
        end = time.monotonic() + seconds
        while not (found := self.driver.execute_script(script, *arguments)):
            assert time.monotonic() < end, (script, self.driver.get_log("browser"))
            time.sleep(0.05)
        return found

    def problems(self):
        """What the console says, and requests that are not the page itself, since the last call."""
        found = [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file://", "data:", "blob:", "about:")):
                    found.append(f"request of {url}")
        return found

    def script(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        element = self.find(selector)
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def fill(self, selector, text):
        self.script("const [field, text] = arguments; field.value = text; for (const name of ['input', 'change'])"
                    " field.dispatchEvent(new Event(name, {bubbles: true}))", self.find(selector), text)

    def column(self, number):
        """The texts of a column of the table of records, as it is shown."""
        return self.script("return [...document.querySelectorAll('#records tbody tr')].map((row) =>"
                           " row.cells[arguments[0]].textContent)", number)

    def show_record(self, number):
        self.script("location.hash = arguments[0]", f"record={number}")
        self.wait("return document.documentElement.dataset.shown === arguments[0]", str(number))

    def drag(self, selector, way):
        """Presses at the first of the points, given as parts of the element's box, moves along them and lets go."""
        element = self.find(selector)
        self.script("arguments[0].scrollIntoView({block: 'center'})", element)
        box = element.rect
        places = [(box["width"] * (x - 0.5), box["height"] * (y - 0.5)) for x, y in way]
        actions = ActionChains(self.driver, duration=20)
        actions.move_to_element_with_offset(element, *map(int, places[0])).click_and_hold()
        for place in places[1:]:
            actions.move_to_element_with_offset(element, *map(int, place))
        actions.release().perform()

    def picture(self, selector=None):
        """The element, or the whole window, as it is seen."""
        if selector:
            self.script("arguments[0].scrollIntoView({block: 'center'})", self.find(selector))
        png = self.find(selector).screenshot_as_png if selector else self.driver.get_screenshot_as_png()
        return Image.open(io.BytesIO(png)).convert("RGB")

    def downloaded(self, name, seconds=60):
        file = self.downloads / name
        end = time.monotonic() + seconds
        while not file.exists():
            assert time.monotonic() < end, list(self.downloads.iterdir())
            time.sleep(0.05)
        data = file.read_bytes()
        file.unlink()
        return data
