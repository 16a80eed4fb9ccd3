"""A real browser: Debian's Chromium, driven by Playwright; pages as people look at them, wide and narrow."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

WIDTHS = (1280, 390)
NAMES = ("chromium", "chromium-browser", "google-chrome")
IMAGES = Path(__file__).parents[3] / "docs/images"
PICTURES = os.environ.get("COLLECTIONS_OPT_PICTURES", "")
"""Where pictures of the pages are kept; nowhere if it is empty."""


MAX_PICTURE_HEIGHT = 1_300
MADE_ANEW = re.compile(r"rk-[0-9a-f]+|[0-9a-f]{16,}")
PATIENCE_MS = 180_000
"""How long a page may take where many tests share a machine; how fast pages are is measured elsewhere."""


def found():
    """Return the path of a browser; None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def why_not():
    """Return why no browser can be driven here; empty if it can."""
    if found() or os.environ.get("CI") == "true":  # there its absence is a fault
        return ""
    return "no chromium on this machine: apt-get install chromium"


@contextmanager
def driven():
    """Yield a browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a second, where there is a browser

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Looker:
    """A person at a browser of one width, who notices what the browser complains about."""

    def __init__(self, browser, url, width=1280, scheme="light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page, self.url, self.complaints = self.context.new_page(), url, []
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def sign_in(self, token):
        self.go("sign-in")
        self.page.fill("[name=token]", token)
        self.press("main button")

    def go(self, path):
        self.page.goto(self.url + path)

    def press(self, selector):
        """Press a button and wait until the whole page came: its parts come one after the other."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.click(selector)

    def reach(self, selector):
        """Press Tab until what is wanted has the focus; whoever has no pointer needs no more."""
        for _ in range(300):
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by keyboard")

    def type(self, selector, text):
        """Type into a field, or choose in a list by its first letters, by keyboard alone."""
        self.reach(selector)
        self.page.keyboard.type(text)

    def enter(self, selector):
        """Press a button or follow a link by keyboard alone, and wait until the whole page came."""
        self.reach(selector)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def text(self):
        return self.page.inner_text("main")

    def cut(self):
        """Return by how many pixels the page is wider than the screen."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def barriers(self):
        """Return what axe finds, with where."""
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

        found = Axe().run(self.page).response["violations"]
        return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]

    def picture(self, name):
        """Keep the top of the page as a picture of few colours, where pictures are asked for; else the one kept must be fresh.

        A picture is fresh while the page says what it said when it was taken; ids that are made anew are not looked at.
        """
        said = hashlib.sha256(MADE_ANEW.sub("#", self.page.inner_text("body")).encode()).hexdigest()[:16]
        kept = json.loads((IMAGES / "pictures.json").read_text("utf-8"))
        if not PICTURES:
            assert kept.get(name) == said, f"docs/images/{name}.png shows another page by now: make pictures"
            return
        (IMAGES / "pictures.json").write_text(json.dumps(dict(sorted({**kept, name: said}.items())), indent=1) + "\n", "utf-8")
        from PIL import Image  # noqa: PLC0415 - where pictures are made

        path = Path(PICTURES) / f"{name}.png"
        size = self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], MAX_PICTURE_HEIGHT)}
        self.page.screenshot(path=path, full_page=True, clip=clip)
        Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)
