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
from helpers.answers.answer import ANSWER, SUMMARY, TODO, Answer
from helpers.notebook import executed
from helpers.notebook.executed import Shown
from helpers.runs import html
from helpers.runs.sections import Said
from helpers.studies.study import open_study
from helpers.text.rich import bullets, paragraph
from tests.support.executed_notebooks import ALIKE, CHARTS, CHOICE, notebook, record, run_of
from tests.support.pages import Page

ABOUT = Answer("about", text=paragraph("What the study is."), role=SUMMARY)
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
    (referrer,) = [meta["content"] for meta in page.all("meta") if meta.get("name") == "referrer"]
    assert referrer == "no-referrer"
    (policy,) = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    script = page.text.partition('<script type="module">')[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; ")
    assert f" script-src 'sha256-{digest}';" in policy
    assert policy.count("script-src") == 1


def test_every_figure_states_its_message_and_is_shown_once(page: Page) -> None:
    texts = [image["alt"] for image in page.all("img")]
    assert sorted(filter(None, texts)) == sorted(answer.title for answer in CHARTS.values())


def test_a_chapter_is_a_line_and_its_code_is_one_toggle(page: Page) -> None:
    assert page.text.count('<details class="chapter"') == 1
    (details,) = re.findall(r'<details class="details">.*?</details>', page.text, flags=re.DOTALL)
    assert "recommendation" in details


def test_the_first_layer_is_the_answer_what_to_do_the_figure_and_what_is_not_known() -> None:
    todo = Answer("updates", text=paragraph("Update express."), role=TODO)
    books = [notebook(ABOUT, ALIKE), notebook(CHOICE, todo, ALIKE, *CHARTS.values())]
    parts = [part for book in books for part in executed.parts(book)]
    said = Said()
    summary = html.summary(parts, said)
    assert summary.leads == ["<p>By the database of 2026: ship <strong>alpine</strong>.</p>"]
    assert summary.todo is not None
    assert summary.todo.record.name == "updates"
    assert [banner.record.name for banner in summary.banners] == ["confounders"]
    assert summary.decided is not None
    assert summary.decided.label == CHARTS["severity-by-capture"].title
    assert "Half of the bytes were looked at." in summary.unknown
    place = said.place("<p>Update express.</p>")
    assert place is not None
    assert place.id == "in-short"


def test_the_figure_of_an_answer_decided_and_its_paragraphs_lead() -> None:
    answer = CHARTS["trade-off"]._replace(
        text=paragraph("Ship alpine.") + bullets(["It is smaller."]), role=ANSWER, title="Decided"
    )
    summary = html.summary(executed.parts(notebook("# Which?", answer, *CHARTS.values())), Said())
    assert summary.leads == ["<p>Ship alpine.</p>"]
    assert summary.decided is not None
    assert summary.decided.label == "Decided"


def test_without_an_answer_there_is_a_page(tmp_path: Path) -> None:
    note = new_markdown_cell('<span style="color:red">An Exception was encountered</span>')
    run = run_of(tmp_path, note, "# Which one?")
    text = html.write(run, open_study("blog-2022"), record()).read_text()
    assert "An Exception was encountered" in text
    assert "What is not known" not in text


def test_its_contents_lead_to_every_notebook(finished: Path) -> None:
    page = Page((finished / "report.html").read_text())
    titles = {title.get("id") for title in page.all("h2")}
    links = [link["href"] for link in page.all("a")]
    for path in paths.notebooks():
        assert f"#{path.stem}" in links
        assert path.stem in titles
    anchors = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(anchors) == len(set(anchors))
    inside = {link for link in links if link and not link.startswith("https://")}
    assert {link.removeprefix("#") for link in inside} <= set(anchors)
    assert len(page.all("img")) >= 10
    assert len(page.all("table")) >= 6


def test_an_answer_that_lacks_evidence_shows_no_table_and_some_do(finished: Path) -> None:
    paths_ = (finished / "notebooks").glob("*.ipynb")
    parts = [part for path in paths_ for part in executed.read(path)]
    lacking = [part for part in parts if isinstance(part, Shown) and part.record.lacks]
    assert len(lacking) > 10
    assert [answer.record.name for answer in lacking if "<table" in answer.table] == []


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
    made = record(view="\x1b[2J\u202e")
    capture = {"scanner": "trivy", "scanner_version": "\x1b[2J\u202e", "db": {"coverage": "\u202e"}}
    made["captures"] = {"2026-11": capture}
    page = Page(html.write(run_of(tmp_path, hostile, ALIKE), about, made).read_text())
    assert "alert(1)" in page.text
    assert len(page.all("script")) == 2, "the page's own"
    assert all((image["src"] or "").startswith("data:image/png") for image in page.all("img"))
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
    assert not {"\x1b", "\u202e"} & set(page.text)
