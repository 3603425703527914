"""What a hostile study brings stays text in JupyterLab, in notebooks that are trusted or not."""

import os
import subprocess
import sys

from playwright import sync_api as playwright

from tests.support import hostile, jupyter_lab
from tests.support.browser import Watched
from tests.support.jupyter_lab import Lab

ACTIVE = """() => [...document.querySelectorAll(".jp-OutputArea-output")].flatMap((output) =>
  [...output.querySelectorAll(
    "mjx-container, [onerror], [onload], [onclick], [onmouseover], [href*='evil.example'], "
      + "[src*='evil.example'], [href^='javascript'], iframe, object, embed, form, base, meta, link"
  )].map((element) => element.outerHTML.slice(0, 200)))"""
"""What of outputs acts, loads, leads away or was typeset."""


def inert(chromium: playwright.Browser, lab: Lab, name: str, run: bool = False) -> str:
    """Look at a notebook and return its words: nothing in it acts, and nobody is asked for it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    watched = Watched(context.new_page())
    page = watched.page
    page.goto(f"{lab.address}/lab/tree/{name}.ipynb?reset")
    if run:
        jupyter_lab.run_all(page)
    page.wait_for_selector(".jp-OutputArea-output", timeout=60_000)
    cells = page.locator(".jp-Notebook .jp-Cell")
    for place in range(cells.count()):
        cells.nth(place).evaluate("cell => cell.scrollIntoView()")
    # Formulas are typeset once their library is there.
    page.wait_for_timeout(1000)
    assert page.evaluate(ACTIVE) == []
    assert not watched.dialogs
    assert [url for url in watched.asked if not url.startswith(f"{lab.address}/")] == []
    assert page.url.startswith(lab.address)
    words = page.locator(".jp-Notebook").text_content() or ""
    context.close()
    return words


def trust(lab: Lab, name: str) -> None:
    """Let JupyterLab trust a notebook, as its user may."""
    home = str(lab.notebooks.parent)
    command = [sys.executable, "-m", "jupyter", "trust", str(lab.notebooks / f"{name}.ipynb")]
    environment = {**os.environ, "HOME": home, "IPYTHONDIR": home}
    subprocess.run(command, env=environment, check=True, capture_output=True)


def test_the_index_of_studies_is_inert(chromium: playwright.Browser, lab: Lab) -> None:
    assert hostile.NAMES[0] in inert(chromium, lab, "index", run=True)


def test_an_executed_notebook_is_inert_trusted_or_not(
    chromium: playwright.Browser, lab: Lab
) -> None:
    name = "hostile-02-vulnerabilities"
    assert r"$\href{https://evil.example/" in inert(chromium, lab, name)
    trust(lab, name)
    assert r"$\href{https://evil.example/" in inert(chromium, lab, name)
