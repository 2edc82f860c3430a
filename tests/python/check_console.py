"""Uses the console of a server as a person does, in a real browser: images in, classes, the model's card, the load, a phone, the
keyboard. Needs Debian's chromium and chromium-driver.

As a command it makes the picture in the documentation:
    python check_console.py URL --images FOLDER --screenshot docs/console.png
"""

import argparse
import base64
import json
import pathlib
import shutil
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

# Longest wait for what must come: far beyond what a slow and busy machine takes.
PATIENCE_S = 300
# A browser that a busy machine does not start in the driver's time is started again.
STARTS = 5
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]


def started(folder):
    for start in range(STARTS):
        try:
            return browser(pathlib.Path(folder, f"profile-{start}"))
        except WebDriverException:
            if start == STARTS - 1:
                raise


def browser(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1100"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


def wait(page, condition):
    WebDriverWait(page, PATIENCE_S).until(condition)


def drop(page, files):
    page.find_element(By.ID, "files").send_keys("\n".join(map(str, files)))
    wait(page, lambda page: len(page.find_elements(By.CSS_SELECTOR, "#results > li")) == len(files))


def check(page, url, folder, expected):
    page.get(url)  # the root leads to the console
    files = []
    for index, image in enumerate(expected["images"]):
        files.append(folder / f"{index}.png")
        files[-1].write_bytes(base64.b64decode(image))
    wait(page, lambda page: page.find_elements(By.CSS_SELECTOR, "#golden td"))
    drop(page, files)
    # The newest is on top. What the page shows is what the API answers.
    shown = page.find_elements(By.CSS_SELECTOR, "#results > li")
    for item, classes in zip(shown, reversed(expected["classes"])):
        lines = [line.text.split("\n") for line in item.find_elements(By.CSS_SELECTOR, ".classes li")]
        wanted = [[best["label"], f"{best['score'] * 100:.1f} %"] for best in classes["predictions"]]
        assert lines == wanted, (lines, wanted)
        wait(page, lambda _: item.find_element(By.TAG_NAME, "img").get_property("naturalWidth") > 0)
        assert item.find_elements(By.CSS_SELECTOR, ".vector rect")
    # The images are compared when all of them are there.
    cell = "#matrix tr:nth-child(2) td"
    wait(page, lambda page: page.find_elements(By.CSS_SELECTOR, cell))
    diagonal = page.find_element(By.CSS_SELECTOR, cell).text
    assert diagonal == "1.000", diagonal
    facts = page.find_element(By.ID, "card").text
    assert " on cpu" in facts and "Embedding" in facts, facts
    check_load(page)
    check_bad_image(page, folder)
    check_keyboard(page)
    check_phone_and_dark(page)
    # The refused image is the one complaint that a browser logs.
    complaints = [entry for entry in page.get_log("browser") if "400" not in entry["message"]]
    assert not complaints, complaints


def check_load(page):
    """The charts move: when nothing has come for a second, another image counts."""
    value = lambda page: page.find_elements(By.CSS_SELECTOR, "figure output")[1].text
    wait(page, lambda page: value(page).startswith("0.00 "))
    # The page takes down what it shows, which may be over when somebody looks.
    page.execute_script("""
        const output = document.querySelectorAll("figure output")[1];
        window.shownRates = [];
        new MutationObserver(() => window.shownRates.push(output.textContent)).observe(output, { childList: true });
        document.getElementById("files").dispatchEvent(new Event("change"));
    """)
    moved = "return window.shownRates.some((text) => !text.startsWith('0.00 '))"
    wait(page, lambda page: page.execute_script(moved))


def check_bad_image(page, folder):
    bad = folder / "bad.png"
    bad.write_bytes(b"no image")
    page.find_element(By.ID, "files").send_keys(str(bad))
    message = page.find_element(By.ID, "message")
    wait(page, lambda page: message.is_displayed())
    assert message.text.startswith("bad.png: "), message.text


def check_keyboard(page):
    page.execute_script("document.activeElement.blur()")
    reached = set()
    for _ in range(12):
        ActionChains(page).send_keys(Keys.TAB).perform()
        reached.add(page.switch_to.active_element.get_attribute("id"))
    assert {"models", "files"} <= reached, reached


def check_phone_and_dark(page):
    colour = lambda: page.execute_script("return getComputedStyle(document.body).backgroundColor")
    light = colour()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    assert colour() != light
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 360, f"{wide} pixels wide on a phone of 360"


def picture(page, url, images, screenshot):
    page.get(url)
    wait(page, lambda page: page.find_elements(By.CSS_SELECTOR, "#golden td"))
    drop(page, sorted(images.iterdir())[:3])
    time.sleep(8)  # some points for the charts
    screenshot.write_bytes(page.get_screenshot_as_png())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--images", type=pathlib.Path)
    parser.add_argument("--screenshot", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = started(folder)
        try:
            if arguments.screenshot:
                picture(page, arguments.url, arguments.images, arguments.screenshot)
            else:
                check(page, arguments.url, pathlib.Path(folder), json.load(sys.stdin))
        finally:
            page.quit()
    print("ok")


main()
