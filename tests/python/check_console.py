"""Uses the console of a server as a person does, in a real browser: images in, classes, neighbours, the map, the model's card, the
load, a phone, the keyboard, the page of the API. Needs Debian's chromium and chromium-driver.

As a command it makes the picture in the documentation:
    python check_console.py URL --images FOLDER --screenshot docs/console.png
"""

import argparse
import base64
import json
import math
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

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


# Pixels of the map that something is drawn on.
PAINTED = """
    const { width, height } = document.getElementById("points");
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(document.getElementById("points"), 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    return data.reduce((count, value, index) => count + (index % 4 === 3 && value > 0), 0);
"""
# Room around the points of the map, in pixels.
MARGIN = 24


def wait(page, condition):
    return WebDriverWait(page, PATIENCE_S).until(condition)


def until(page, holds):
    return wait(page, lambda page: holds())


def drop(page, files):
    page.find_element(By.ID, "files").send_keys("\n".join(str(file.resolve()) for file in files))
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, "#results > li")) == len(files))
    if page.find_element(By.ID, "gallery").is_displayed():
        until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, ".near")) == len(files))


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
    check_neighbours(shown, expected["neighbours"])
    check_map(page, expected)
    check_galleries(page)
    check_load(page)
    check_bad_image(page, folder)
    check_keyboard(page)
    check_phone_and_dark(page)
    check_fingers(page, expected)
    check_api(page, url)
    # The refused image is the one complaint that a browser logs.
    complaints = [entry for entry in page.get_log("browser") if "400" not in entry["message"]]
    assert not complaints, complaints


def check_api(page, url):
    """The page of the API shows every operation of the description, or those that are looked for."""
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:
        operations = sum(len(methods) for methods in json.load(answer)["paths"].values())
    page.get(f"{url}/docs")
    shown = lambda: [one for one in page.find_elements(By.CSS_SELECTOR, ".operation") if one.is_displayed()]
    until(page, lambda: len(shown()) == operations)
    page.find_element(By.ID, "filter").send_keys("/v1/embeddings")
    until(page, lambda: len(shown()) == 1)
    shown()[0].find_element(By.TAG_NAME, "summary").click()
    until(page, lambda: "encoding_format" in shown()[0].text)


def check_neighbours(shown, expected):
    for item, found in zip(shown, reversed(expected)):
        lines = item.find_elements(By.CSS_SELECTOR, ".near li")
        texts = [[line.find_element(By.CSS_SELECTOR, part).get_property("textContent") for part in [".id", ".label", ".cosine"]] for line in lines]
        assert texts == [[near["id"], near["label"], f"{near['score']:.3f}"] for near in found["neighbours"]], texts
        assert all(line.find_element(By.TAG_NAME, "img").get_property("naturalWidth") > 0 for line in lines)


def painted(page):
    """Pixels of the map that something is drawn on, when they change no more."""
    before = None
    while (count := page.execute_script(PAINTED)) != before:
        before = count
        time.sleep(0.1)
    return count


def places(canvas, expected):
    """Where the points of the gallery are, in pixels from the middle of a map that shows everything."""
    points = expected["map"]["points"]
    every = [*points, *(found["map"] for found in expected["neighbours"])]
    (left, bottom), (right, top) = ([end(axis) for axis in zip(*every)] for end in [min, max])
    width, height = (canvas.get_property(side) for side in ["clientWidth", "clientHeight"])
    scale = min((width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (top - bottom))
    return [(round((x - (left + right) / 2) * scale), round(((bottom + top) / 2 - y) * scale)) for x, y in points]


def check_map(page, expected):
    ids, labels = (expected["map"][name] for name in ["ids", "labels"])
    canvas = page.find_element(By.ID, "points")
    chosen = lambda: page.find_element(By.ID, "chosen-id").text
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    until(page, lambda: painted(page) > 0)
    whole = painted(page)
    assert f"{len(ids)} vectors; classes: 2; images dropped here: 2" in canvas.get_attribute("aria-label")

    # Every point is where it belongs: pointed at, it says what it is, and shows its picture.
    for place, id, label in zip(places(canvas, expected), ids, labels):
        ActionChains(page).move_to_element_with_offset(canvas, *place).perform()
        until(page, lambda: chosen() == id)
        assert page.find_element(By.ID, "chosen-label").text == label
    pictures = lambda: page.find_elements(By.CSS_SELECTOR, "#chosen img")
    until(page, lambda: [picture.get_property("naturalWidth") for picture in pictures()] == [20])

    # The same without a mouse.
    ActionChains(page).move_to_element(page.find_element(By.ID, "map-title")).perform()
    page.execute_script("arguments[0].focus()", canvas)
    press = lambda *keys: ActionChains(page).send_keys(*keys).perform()
    press(Keys.ESCAPE)
    assert chosen() not in ids
    seen = set()
    for key in [Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_DOWN] * 3:
        press(key)
        seen.add(chosen())
    assert len(seen & set(ids)) > 1, seen
    press(Keys.ESCAPE, "+++")
    assert painted(page) != whole
    press("0")
    assert painted(page) == whole
    button = page.find_element(By.CSS_SELECTOR, "#legend button")
    button.click()
    assert painted(page) < whole and button.get_attribute("aria-pressed") == "false"
    button.click()
    assert painted(page) == whole

    summary = page.find_element(By.CSS_SELECTOR, "#map summary")
    summary.click()
    rows = [row.text for row in page.find_elements(By.CSS_SELECTOR, "#map-table th[scope=row]")]
    assert rows == ["2 1.png, dropped here", "1 0.png, dropped here", "even", "odd"], rows
    summary.click()


def check_galleries(page):
    """Another gallery has neighbours for the same images: here the same vectors, without pictures."""
    near = lambda part: page.find_elements(By.CSS_SELECTOR, f".near {part}")
    ids = lambda: [line.get_property("textContent") for line in near(".id")]
    before = ids()
    galleries = Select(page.find_element(By.ID, "galleries"))
    galleries.select_by_visible_text("plain")
    until(page, lambda: len(near("ol")) == 2 and not near("img"))
    assert ids() == before and near(".name")[0].text.endswith(" in plain")
    galleries.select_by_visible_text("pictured")
    until(page, lambda: len(near("img")) == len(before))


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
    for _ in range(24):
        ActionChains(page).send_keys(Keys.TAB).perform()
        reached.add(page.switch_to.active_element.get_attribute("id"))
    assert {"models", "galleries", "files", "points"} <= reached, reached


def check_phone_and_dark(page):
    colour = lambda: page.execute_script("return getComputedStyle(document.body).backgroundColor")
    light = colour()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    assert colour() != light
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    wide = page.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 360, f"{wide} pixels wide on a phone of 360"


def check_fingers(page, expected):
    """Two fingers zoom the map and not the page, one finger moves what is zoomed, a tap chooses."""
    page.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    canvas = page.find_element(By.ID, "points")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    box = page.execute_script("return arguments[0].getBoundingClientRect().toJSON()", canvas)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def do(gesture, place, **more):
        x, y = (sum(parts) for parts in zip(middle, place))
        page.execute_cdp_cmd(f"Input.synthesize{gesture}Gesture", {"x": x, "y": y, "gestureSourceType": "touch", **more})

    page_is = lambda: page.execute_script("return [visualViewport.scale, scrollX, scrollY]")
    drawn = lambda: page.execute_script("return document.getElementById('points').toDataURL()")
    before = page_is()
    inner = min(places(canvas, expected), key=lambda place: math.hypot(*place))
    for gesture, more in [("Pinch", {"scaleFactor": 3}), ("Scroll", {"xDistance": 70, "yDistance": 50})]:
        was = drawn()
        do(gesture, inner, **more)
        until(page, lambda: drawn() != was)
        assert page_is() == before and "zoomed" in canvas.get_attribute("class"), (gesture, page_is())
    page.find_element(By.ID, "map-all").click()
    for place, id in list(zip(places(canvas, expected), expected["map"]["ids"]))[:3]:
        do("Tap", place)
        until(page, lambda: page.find_element(By.ID, "chosen-id").text == id)


def picture(page, url, images, screenshot):
    page.set_window_size(1280, 1350)
    page.get(url)
    wait(page, lambda page: page.find_elements(By.CSS_SELECTOR, "#golden td"))
    drop(page, sorted(images.iterdir())[:3])
    if page.find_element(By.ID, "map").is_displayed():
        page.execute_script("document.getElementById('points').focus()")
        ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
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
