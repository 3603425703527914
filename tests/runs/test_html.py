"""The report page: loads nothing, and what comes from reports is text in it."""

import base64
import hashlib
import re
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from nbformat.v4 import new_markdown_cell

from helpers import paths
from helpers.answers.answer import ANSWER, SUMMARY, Answer
from helpers.notebook import executed
from helpers.runs import html
from helpers.studies.study import open_study
from helpers.text.rich import bullets, paragraph
from tests.support.executed_notebooks import ALIKE, CHARTS, CHOICE, notebook, record, run_of
from tests.support.pages import Page

ABOUT = Answer("about", text=paragraph("What the study is."), role=SUMMARY)
BRIEF = Answer("coverage", text=paragraph("Half of it was looked at."), role=ANSWER)
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


@pytest.fixture
def page(tmp_path: Path) -> Page:
    parts = ("# Which one?\n\nProse.", ABOUT, ALIKE, "## Which?", CHOICE, *CHARTS.values())
    run = run_of(tmp_path, *parts)
    return Page(html.write(run, open_study("blog-2022"), record()).read_text())


def test_it_loads_nothing_and_its_policy_allows_its_own_script_alone(page: Page) -> None:
    assert [script.get("src") for script in page.all("script")] == [None, None]
    assert not page.all("link")
    assert not page.all("iframe")
    sources = [image["src"] or "" for image in page.all("img")]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert all((link["href"] or "").startswith("#") for link in page.all("a"))
    (policy,) = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    script = page.text.partition('<script type="module">')[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; ")
    assert f" script-src 'sha256-{digest}';" in policy
    assert policy.count("script-src") == 1


def test_every_figure_states_its_message(page: Page) -> None:
    texts = [image["alt"] for image in page.all("img")]
    summary = [answer.title for answer in CHARTS.values() if answer.role == SUMMARY]
    assert texts == [*summary, *(answer.title for answer in CHARTS.values())]


def test_code_and_data_behind_figures_are_folded_and_other_tables_are_not(page: Page) -> None:
    folded = re.findall(r'<details class="code">.*?</details>', page.text, flags=re.DOTALL)
    assert len(folded) == len(CHARTS) + 3
    assert "recommendation" in "".join(folded)
    data = re.findall(r'<details class="data">(.*?)</details>', page.text, flags=re.DOTALL)
    assert [text.count("<table") for text in data] == [1]
    assert "<summary>Data: severity-by-capture</summary>" in data[0]
    assert len(page.all("table")) == 2


def test_the_answer_and_the_banner_lead_and_each_stands_there_once() -> None:
    banner = ALIKE._replace(text=ALIKE.text + bullets(["debian is too"]))
    books = [notebook(ABOUT, BRIEF, banner), notebook(CHOICE, BRIEF, banner, *CHARTS.values())]
    summary = html.summary([part for book in books for part in executed.parts(book)])
    leads = "".join(summary.leads)
    assert leads == (
        "<p>By the database of 2026: ship <strong>alpine</strong>.</p><p>Images differ in age.</p>"
    )
    answers = "".join(summary.answers)
    assert answers.startswith("<p>Weighed:")
    assert answers.count("Half of it was looked at.") == 1
    assert answers.endswith("<li>debian is too</li></ul>")
    assert summary.rest == ["<p>What the study is.</p>"]
    assert len(summary.figures) == 4


def test_without_an_answer_there_is_a_page(tmp_path: Path) -> None:
    note = new_markdown_cell('<span style="color:red">An Exception was encountered</span>')
    run = run_of(tmp_path, note, "# Which one?")
    text = html.write(run, open_study("blog-2022"), record()).read_text()
    assert "An Exception was encountered" in text
    assert "Why, and what to bear in mind" not in text


def test_its_contents_lead_to_every_notebook(finished: Path) -> None:
    page = Page((finished / "report.html").read_text())
    titles = {title.get("id") for title in page.all("h2")}
    links = [link["href"] for link in page.all("a")]
    for path in paths.notebooks():
        assert f"#{path.stem}" in links
        assert path.stem in titles
    anchors = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(anchors) == len(set(anchors))
    assert {link.removeprefix("#") for link in links if link} <= set(anchors)
    assert len(page.all("img")) >= 10
    assert len(page.all("table")) >= 6


def test_markup_in_evidence_is_text_in_the_page(tmp_path: Path) -> None:
    hostile = Answer(
        HOSTILE,
        HOSTILE,
        paragraph(HOSTILE) + bullets([HOSTILE]),
        pd.DataFrame({HOSTILE: [HOSTILE]}),
        CHARTS["overlap"].chart,
        role=ANSWER,
    )
    about = msgspec.structs.replace(open_study("blog-2022"), title=HOSTILE, question=HOSTILE)
    page = Page(html.write(run_of(tmp_path, hostile, ALIKE), about, record()).read_text())
    assert "alert(1)" in page.text
    assert len(page.all("script")) == 2, "the page's own"
    assert all((image["src"] or "").startswith("data:image/png") for image in page.all("img"))
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
