"""Opens the report of a run as a person does, in a real browser: every section is there, nothing is fetched, no complaint in the
console, keyboard, phone, dark and print. Needs Debian's chromium and chromium-driver.

    python check_report.py REPORT SECTION...

As a command it makes the picture in the documentation:
    selfie pretrain --recipe quickstart-pretrain --set evaluate_every=80 --out RUN
    python check_report.py RUN/report.html --screenshot docs/report.png --height 2215
"""

import argparse
import html.parser
import json
import pathlib
import shutil
import tempfile

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# A browser that a busy machine does not start in the driver's time is started again.
STARTS = 5
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]
VOID = {"meta", "link", "input", "img", "br"}
LINKS = {"href", "src", "srcset", "xlink:href", "action", "data", "poster", "style"}


class Page(html.parser.HTMLParser):
    """Tags that close in their order, ids, and what the page refers to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sections, self.images = [], [], [], [], 0
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "iframe", "object", "embed", "base"), tag
        attributes = dict(attributes)
        assert not any(name.startswith("on") for name in attributes), attributes
        if tag == "section":
            self.sections.append(attributes["id"])
        if tag in ("img", "image"):
            self.images += 1
        if tag == "img":
            assert attributes.get("alt"), attributes
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [(name, value) for name, value in attributes.items() if name in LINKS]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"{tag} closes something else"


def check_text(text, sections):
    page = Page(text)
    assert page.sections == sections, (page.sections, sections)
    assert len(set(page.ids)) == len(page.ids), "an id stands twice"
    assert page.images >= 12, page.images
    for name, value in page.links:
        inside = value.startswith("#") and value[1:] in page.ids
        assert inside or value.startswith("data:") or (name == "style" and "url" not in value), (name, value[:80])
    assert "url(" not in text and "@import" not in text


def started(folder, height):
    for start in range(STARTS):
        try:
            return browser(pathlib.Path(folder, f"profile-{start}"), height)
        except WebDriverException:
            if start == STARTS - 1:
                raise


def browser(profile, height):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, f"--user-data-dir={profile}", f"--window-size=1280,{height}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def check_requests(page, url):
    """Only the file itself and what stands in it are read."""
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    requests = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    # The browser's first page, which it shows before any other, asks for much of its own.
    sent = [request["request"]["url"] for request in requests if request["documentURL"] == url]
    assert url in sent, sent[:5]
    others = [address[:80] for address in sent if address != url and not address.startswith("data:")]
    assert not others, others[:5]


def check_drawn(page):
    """Charts and pictures have a size, and no picture is broken."""
    broken = page.execute_script("return [...document.images].filter(i => !i.naturalWidth).length")
    assert broken == 0, f"{broken} pictures are broken"
    flat = page.execute_script(
        "return [...document.querySelectorAll('main svg:not(.definitions)')].filter(s => s.getBoundingClientRect().height < 8).length")
    assert flat == 0, f"{flat} drawings have no height"
    lines = page.find_elements(By.CSS_SELECTOR, "#curves polyline.train")
    assert len(lines) == 2 and all(len(line.get_attribute("points").split()) > 1 for line in lines)


def check_keyboard(page):
    page.execute_script("document.activeElement.blur()")
    reached = []
    for _ in range(40):
        ActionChains(page).send_keys(Keys.TAB).perform()
        active = page.switch_to.active_element
        reached.append(active.get_attribute("href") or active.get_attribute("id") or active.tag_name)
    sections = len(page.find_elements(By.TAG_NAME, "section"))
    assert sum("#" in name for name in reached) >= sections, reached
    assert "choose-all" in reached and "summary" in reached, reached


def check_choice(page):
    """A class that is chosen in the legend stays, the others grow pale."""
    page.find_element(By.ID, "choose-all").send_keys(Keys.ARROW_RIGHT)
    opacity = lambda mark: page.execute_script(
        "const g = document.querySelector(`#embeddings .mark-${arguments[0]}:is(g)`); g.style.transition = 'none';"
        "return getComputedStyle(g).opacity", mark)
    assert (opacity(0), opacity(1)) == ("1", "0.06"), (opacity(0), opacity(1))


def check_phone_and_dark(page):
    colour = lambda: page.execute_script("return getComputedStyle(document.body).backgroundColor")
    light = colour()
    media = lambda media, scheme: page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    media("screen", "dark")
    assert colour() != light
    media("print", "dark")
    assert colour() == "rgb(255, 255, 255)", colour()
    media("screen", "light")
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 360, f"{wide} pixels wide on a phone of 360"


def check(page, url):
    page.get(url)
    check_drawn(page)
    check_requests(page, url)
    check_keyboard(page)
    check_choice(page)
    check_phone_and_dark(page)
    complaints = page.get_log("browser")
    assert not complaints, complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("sections", nargs="*")
    parser.add_argument("--screenshot", type=pathlib.Path)
    parser.add_argument("--height", type=int, default=1100)
    parser.add_argument("--dark", action="store_true")
    arguments = parser.parse_args()
    url = arguments.report.resolve().as_uri()
    with tempfile.TemporaryDirectory() as folder:
        page = started(folder, arguments.height)
        try:
            if arguments.screenshot:
                scheme = {"name": "prefers-color-scheme", "value": "dark" if arguments.dark else "light"}
                page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
                page.get(url)
                arguments.screenshot.write_bytes(page.get_screenshot_as_png())
            else:
                check_text(arguments.report.read_text(encoding="utf-8"), arguments.sections)
                check(page, url)
        finally:
            page.quit()
    print("ok")


main()
