"""The report page: loads nothing, and what comes from reports is text in it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers import paths
from helpers.runs import run


class Page(HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(finished: Path) -> Page:
    return Page((finished / "report.html").read_text())


def test_it_is_one_self_contained_page(page: Page) -> None:
    assert [script.get("src") for script in page.all("script")] == [None, None]
    assert not page.all("link")
    assert not page.all("iframe")
    sources = [image["src"] or "" for image in page.all("img")]
    assert len(sources) >= 6
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    policy = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert len(policy) == 1
    assert (policy[0] or "").startswith("default-src 'none'; img-src data:; style-src")
    assert (policy[0] or "").count("script-src") == 1


def test_its_policy_allows_its_own_script_and_no_other(finished: Path) -> None:
    text = (finished / "report.html").read_text()
    script = text.partition('<script type="module">')[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in text
    assert "unsafe-eval" not in text
    assert "'unsafe-inline';" in text.partition("style-src")[2], "of styles, not of scripts"


def test_every_figure_states_its_message(page: Page) -> None:
    texts = [image["alt"] or "" for image in page.all("img")]
    assert "Findings: nodejs-alpine 48, nodejs-distroless 19" in texts
    assert all(len(text) > 20 for text in texts)


def test_its_contents_lead_to_every_notebook(page: Page) -> None:
    titles = {title.get("id") for title in page.all("h2")}
    links = [link["href"] for link in page.all("a")]
    for path in paths.notebooks():
        assert f"#{path.stem}" in links
        assert path.stem in titles
    anchors = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(anchors) == len(set(anchors))
    assert {link.removeprefix("#") for link in links if link} <= set(anchors)


def test_code_is_folded_and_tables_are_not(page: Page, finished: Path) -> None:
    text = (finished / "report.html").read_text()
    folded = re.findall(r'<details class="code">.*?</details>', text, flags=re.DOTALL)
    assert len(folded) > 60
    assert "load_study" in "".join(folded)
    assert "load_study" not in re.sub(r"<(details|script|style).*?</\1>", "", text, flags=re.DOTALL)
    assert len(page.all("table")) >= 6


def test_markup_in_evidence_is_text_in_the_page(data: Path) -> None:
    hostile = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    study = data / "studies/blog-2022/study.toml"
    study.write_text(study.read_text().replace('title = "', f"title = '''{hostile}''' # \""))
    for evidence in data.glob("studies/blog-2022/*/*/trivy.json"):
        report = json.loads(evidence.read_text())
        report["Trivy"]["Version"] = hostile
        report["Metadata"]["OS"]["Name"] = hostile
        evidence.write_text(json.dumps(report))
    text = (run.reproduce("blog-2022") / "report.html").read_text()
    page = Page(text)
    assert "alert(1)" in text
    assert len(page.all("script")) == 2, "the page's own"
    assert all((image["src"] or "").startswith("data:image/png") for image in page.all("img"))
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
