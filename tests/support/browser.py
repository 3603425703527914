"""A real browser, watched: what it says, what it asks the network for, whether a dialog opens."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
).split()

_OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const box = element.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1) return false;
  for (let over = element.parentElement; over; over = over.parentElement)
    if (getComputedStyle(over).overflowX !== "visible") return false;
  return true;
}).map((one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`)"""


def installed() -> str | None:
    """The path of Chromium, or `None`."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium, for as long as the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page and everything about it that nobody should see."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._ask)
        page.on("dialog", self._dialog)

    def _ask(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.asked.append(request.url)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def quiet(self, address: str) -> None:
        """Nothing was said, nothing asked for but the page itself, no dialog opened."""
        assert not self.said
        assert not self.dialogs
        assert set(self.asked) == {address}

    def overflowing(self) -> list[str]:
        """What reaches beyond the window and cannot be scrolled to in a box of its own."""
        wide = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return [*self.page.evaluate(_OVERFLOWING), *(["the page itself"] if wide else [])]


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = 1280, height: int = 800, **options: Any
) -> Iterator[Watched]:
    """A file in a window of its own, with the network cut."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_offline(True)
    try:
        watched = Watched(context.new_page())
        watched.page.goto(path.as_uri())
        yield watched
    finally:
        context.close()


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using a page."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{found['id']}: {found['nodes'][0]['html'][:200]}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
