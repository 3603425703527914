"""A comparison: what it holds, and two of them beside each other."""

import csv
import html
import inspect
import pydoc
import re
from contextlib import redirect_stdout
from io import StringIO
from operator import attrgetter
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from IPython.core.completer import IPCompleter, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from helpers import Comparison, Fleet, paths
from helpers.answers import columns
from helpers.answers.answer import Answer
from helpers.errors import FrameInvalid, KitError, ParameterInvalid, StudyInvalid
from helpers.notebook.display import ShownAnswer
from helpers.notebook.question import Asked

README = (paths.ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def blog() -> Comparison:
    return Comparison("blog-2022")


@pytest.fixture(scope="module")
def report_files() -> list[Path]:
    folder = paths.capture("blog-2022", Comparison("blog-2022").capture)
    return [paths.reports(evidence)["trivy"] for evidence in sorted(folder.glob("nodejs-*"))]


def asked() -> set[str]:
    """The methods that the notebooks call."""
    sources = [
        cell.source
        for path in paths.notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
    ]
    question = r"^c\.(?:at\(\"newest\"\)\.)?(\w+\.\w+)\("
    return set(re.findall(question, "\n".join(sources), re.MULTILINE))


def test_the_notebooks_ask_every_question() -> None:
    assert asked() == set(Comparison.questions)
    assert all(each.asks.endswith("?") for each in Comparison.questions.values())


@pytest.mark.parametrize("asked_of", [*Comparison.subjects.values(), Fleet])
def test_what_a_user_may_choose_is_said_and_nothing_is_an_empty_text(asked_of: type[Asked]) -> None:
    for name in asked_of.questions:
        method = getattr(asked_of, name)
        _, *choices = inspect.signature(method).parameters.values()
        for each in choices:
            assert each.default is None or isinstance(each.default, int | float), name
            assert f"\n{each.name} : " in method.__doc__


def test_each_subject_is_an_attribute_that_shows_and_tells_its_questions(blog: Comparison) -> None:
    for name, subject in Comparison.subjects.items():
        found = getattr(blog, name)
        assert type(found) is subject
        help_ = pydoc.plain(pydoc.render_doc(found))
        assert len(help_.splitlines()) <= 24, "it fits a screen"
        assert all(f"{each}()" in help_ for each in found.questions)
        assert all(html.escape(q.asks) in found._repr_html_() for q in found.questions.values())
        assert f"c.{name}.{next(iter(found.questions))}()" in blog._repr_html_()


@pytest.fixture(scope="module")
def rebuilt() -> Comparison:
    return Comparison("rebuilt-2026")


@pytest.mark.parametrize("name", Comparison.questions)
def test_the_columns_of_an_answer_are_documented(rebuilt: Comparison, name: str) -> None:
    subject, method = name.split(".")
    answer = getattr(getattr(rebuilt, subject), method)()
    assert answer.outputs()
    images = set(answer.setting.images["variant"])
    found = [columns.OF_IMAGE if each in images else each for each in answer.table]
    assert set(found) <= set(columns.of_tables().get(name, [])), f"answers/tables.csv: {found}"
    assert answer.columns["column"].tolist() == answer.table.columns.tolist()


def test_each_column_of_a_table_has_a_meaning_and_each_meaning_a_column() -> None:
    used = {each for table in columns.of_tables().values() for each in table}
    assert used <= set(columns.meanings())
    with (paths.HELPERS / "answers" / "columns.csv").open() as file:
        assert {row["column"] for row in csv.DictReader(file)} <= used
    known = {*Comparison.questions, *(f"fleet.{name}" for name in Fleet.questions)}
    assert set(columns.of_tables()) <= known


def test_a_question_tells_its_function_in_help_and_completion(blog: Comparison) -> None:
    signature = inspect.signature(blog.risk.short_list)
    assert (
        str(signature)
        == "(least: float = 0.1, most: int = 10) -> helpers.notebook.display.ShownAnswer"
    )
    text = pydoc.plain(pydoc.render_doc(blog.sizes.difference))
    assert "'published']] = None, baseline: str | None = None)" in text
    assert "How much larger is one image than another?\n    \n    Parameters\n" in text
    assert "Raises\n    ------\n    ParameterInvalid\n" in text
    with provisionalcompleter():
        completer = IPCompleter(namespace={"c": blog})
        for typed, offered in (
            ("c.si", "sizes"),
            ("c.vulnerabilities.seve", "severity"),
            ("c.risk.short_list(le", "least="),
            ("c.where(fix", "fixable="),
        ):
            found = [each.text for each in completer.completions(typed, len(typed))]
            assert offered in [each.lstrip(".") for each in found], typed
    needs = Comparison.questions["vulnerabilities.severity"].needs
    assert needs == ("findings", "images", "lens")


def test_two_captures_stand_beside_each_other(blog: Comparison) -> None:
    later = blog.at("2026-11")
    assert blog.vulnerabilities.severity().table["count"].sum() == 67
    assert later.vulnerabilities.severity().table["count"].sum() == 156
    assert (blog.capture, later.capture, blog.every.capture) == ("2022-02", "2026-11", "all")
    assert len(blog.every.findings) == 67 + 156


def test_two_lenses_share_their_frames(blog: Comparison) -> None:
    assert blog.vulnerabilities.severity().table["count"].sum() == 67
    fixable = blog.where(lens="vulnerabilities", fixable=True)
    assert fixable.vulnerabilities.severity().table["count"].sum() == 25
    assert fixable._frames is blog._frames
    assert blog.lens.counted == "findings", "the first is as it was"


def test_what_another_lens_changes_is_not_shared(blog: Comparison) -> None:
    total = blog.verdict.age_or_base().table["first_total"].iloc[0]
    in_app = blog.where(place="app")
    assert (total, in_app.verdict.age_or_base().table["first_total"].iloc[0]) == (48, 0)
    assert "in the app" in in_app.history.captures().subtitle
    assert blog.verdict.age_or_base().table["first_total"].iloc[0] == 48


def test_what_other_weights_change_is_not_shared(blog: Comparison) -> None:
    newest = blog.at("2026-11")
    newest.history.steps()
    assert newest.verdict.recommendation().title.endswith("fixable findings")
    by_size = newest.with_weights(**dict.fromkeys(newest.weights, 0.0) | {"size": 1.0})
    assert by_size.verdict.recommendation().subtitle.startswith("Published size")
    assert newest.verdict.recommendation().title.endswith("fixable findings"), "it is as it was"
    assert by_size._history is newest._history, "which weights do not change"


def test_some_images_only(blog: Comparison) -> None:
    one = blog.only("nodejs-alpine")
    assert one.vulnerabilities.severity().title == "Findings: nodejs-alpine 48"
    assert len(one.findings) == len(blog.findings) - 19
    assert one.at("2026-11").vulnerabilities.severity().title == "Findings: nodejs-alpine 49"
    assert blog.only().findings.empty
    with pytest.raises(ParameterInvalid, match="no image 'alpine'; did you mean 'nodejs-alpine'"):
        blog.only("alpine")


def test_a_frame_that_a_user_changes_changes_no_later_answer(blog: Comparison) -> None:
    before = blog.vulnerabilities.severity().title
    for frame in (blog.images, blog.findings, blog.packages):
        frame["variant"] = "mine"
        frame.loc[:, "capture"] = "mine"
    table = blog.vulnerabilities.severity().table
    table["count"] = 0
    assert blog.vulnerabilities.severity().title == before
    assert len(blog.findings) == 67


def test_reports_are_compared_without_a_study(report_files: list[Path]) -> None:
    reports, study = Comparison.from_reports(report_files), Comparison("blog-2022")
    assert reports.images["variant"].str.partition("/")[0].tolist() == study.study.names()
    ours, theirs = (c.vulnerabilities.severity().table["count"].tolist() for c in (reports, study))
    assert ours == theirs
    assert "own reports" in reports.vulnerabilities.severity().footer
    assert "study" not in reports.vulnerabilities.severity().footer
    only = reports.where(lens="vulnerabilities", fixable=True).only(reports.images["variant"][0])
    assert len(only.counted_findings) == 25


def test_every_question_has_an_answer_without_a_study(report_files: list[Path]) -> None:
    reports = Comparison.from_reports(report_files).style("ko")
    assert all(attrgetter(name)(reports)().outputs() for name in Comparison.questions)


def test_frames_are_compared_with_a_users_own_columns(blog: Comparison) -> None:
    findings = blog.findings[blog.findings["package"].str.contains("ssl")].assign(team="web")
    ssl = Comparison.from_frames(findings, blog.images)
    assert ssl.vulnerabilities.severity().table["count"].sum() == len(findings) > 0
    assert set(ssl.findings["team"]) == {"web"}
    assert ssl.with_filter(lambda found: found["team"].eq("web"), "of the web team").lens.own


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda f, i: (f.drop(columns="package"), i), "findings: no column 'package'"),
        (lambda f, i: (f.assign(severity="bad"), i), "column 'severity' has 'bad'"),
        (lambda f, i: (f.assign(published_at="soon"), i), "findings: "),
        (lambda f, i: (f, i[:1]), "image 'nodejs-distroless' is not in `images`"),
    ],
)
def test_a_frame_that_is_not_as_described_is_refused(
    blog: Comparison, change: Any, problem: str
) -> None:
    with pytest.raises(FrameInvalid, match=re.escape(problem)):
        Comparison.from_frames(*change(blog.findings, blog.images))


def test_what_is_not_there_is_named_with_what_is_most_like_it(blog: Comparison) -> None:
    for ask, hint in (
        (lambda: blog.sverity, "Did you mean: 'vulnerabilities.severity'"),
        (lambda: blog.sizes.watrfall, "Did you mean: 'waterfall'"),
        (lambda: blog.where(fixabel=True), "did you mean 'fixable'"),
        (lambda: Comparison("blog2022"), "did you mean 'blog-2022'"),
        (lambda: blog.history.changes("2026-12"), "did you mean '2026-11'"),
    ):
        with pytest.raises((AttributeError, TypeError, KitError), match=hint):
            ask()
    with pytest.raises(ParameterInvalid, match="name at least one file"):
        Comparison.from_reports([])
    with pytest.raises(StudyInvalid, match="these images come from frames"):
        Comparison.from_frames(blog.findings, blog.images).at("2026-11")


def test_a_lens_that_fails_says_in_which_of_the_users_lines(blog: Comparison) -> None:
    def lens(findings: pd.DataFrame) -> pd.Series:
        return findings["sevrity"].eq("HIGH")

    with pytest.raises(ParameterInvalid) as raised:
        blog.with_filter(lens, "mine").vulnerabilities.severity()
    line = lens.__code__.co_firstlineno + 1
    assert f'line {line}, `return findings["sevrity"]' in str(raised.value)
    assert "did you mean 'severity'" in str(raised.value)


def test_a_notebook_shows_an_error_that_a_user_can_fix_in_one_line() -> None:
    shell = InteractiveShell.instance()
    with redirect_stdout(StringIO()) as shown:
        shell.run_cell("from helpers import Comparison; Comparison('blog2022')")
    assert len(shown.getvalue().strip().splitlines()) == 1
    assert "did you mean 'blog-2022'" in shown.getvalue()


def test_a_lens_of_ones_own_is_in_every_label(blog: Comparison) -> None:
    ssl = blog.with_filter(lambda found: found["package"].str.contains("ssl"), "in SSL packages")
    assert len(ssl.counted_findings) == ssl.vulnerabilities.severity().table["count"].sum() > 0
    assert "findings, in SSL packages" in ssl.vulnerabilities.severity().subtitle
    assert ssl.vulnerabilities.overlap().answer.counted == "vulnerabilities, in SSL packages"
    assert ssl.where(fixable=True).lens.label == "fixable findings, in SSL packages"
    assert blog.lens.own == (), "the first is as it was"
    with pytest.raises(ParameterInvalid, match="needs a label"):
        blog.with_filter(lambda findings: findings, " ")


def test_images_of_other_studies_stand_beside(blog: Comparison) -> None:
    with pytest.raises(StudyInvalid, match="not scanned alike"):
        _ = blog.with_images("matched-2026").findings
    both = blog.at("2026-11").with_images("matched-2026").only("nodejs-alpine", "node-24-alpine")
    assert (
        both.vulnerabilities.severity().title
        == "49 findings in nodejs-alpine, 21 in node-24-alpine"
    )
    assert "study blog-2022 + matched-2026" in both.vulnerabilities.severity().footer
    wider = both.with_images("rebuilt-2026/2026-11-24")
    assert len(wider.images) == 6, "those that were chosen, and those that come in addition"
    assert "node-24-distroless" not in set(wider.images["variant"])
    with pytest.raises(StudyInvalid, match="no capture '2021'"):
        blog.with_images("matched-2026/2021")
    answer = both.where(lens="vulnerabilities", fixable=True).verdict.recommendation()
    assert "node-24-alpine" in answer.title
    assert "study blog-2022 + matched-2026" in answer.footer
    assert "capture 2026-11" in answer.subtitle


@pytest.mark.slow
def test_every_question_can_be_asked_of_images_of_several_studies() -> None:
    several = Comparison("rebuilt-2026").with_images("blog-2022/2026-11")
    failed = []
    for name in Comparison.questions:
        try:
            attrgetter(name)(several)().outputs()
        except KitError as error:
            failed.append(f"{name}: {error}")
    assert failed == []


def test_what_there_is_none_of_is_an_error_at_once(blog: Comparison) -> None:
    with pytest.raises(StudyInvalid, match="there is no study 'blog-2023'"):
        Comparison("blog-2023")
    with pytest.raises(StudyInvalid, match="no capture '2021'"):
        blog.at("2021")
    with pytest.raises(ParameterInvalid, match="lens 'bugs'"):
        blog.where(lens="bugs")
    with pytest.raises(ParameterInvalid, match="weight_size"):
        blog.with_weights(size=-1)
    with pytest.raises(ParameterInvalid, match="theme"):
        Comparison("blog-2022").style(theme="blue")


def test_the_readmes_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)
    assert isinstance(names["answer"], ShownAnswer)
    assert isinstance(names["answer"].answer, Answer)
    mine = names["mine"]
    assert isinstance(mine, Comparison)
    assert mine.vulnerabilities.totals().table["vulnerabilities"].tolist() == [1]
    lines = [line for line in blocks[0].splitlines() if line]
    assert len(lines) == 4, "four lines from the import to a figure"


@pytest.mark.parametrize("name", ["claims", "age_or_base", "matched"])
def test_what_a_user_changes_in_a_table_changes_no_later_answer(name: str) -> None:
    ask = getattr(Comparison("blog-2022").verdict, name)
    table = ask().table
    before = table.iloc[0, 0]
    table.iloc[0, 0] = "changed"
    assert ask().table.iloc[0, 0] == before


def test_a_narrower_count_keeps_what_was_said_before(blog: Comparison) -> None:
    app = blog.where(lens="vulnerabilities").where(place="app").where(fixable=True)
    assert (app.lens.counted, app.lens.place, app.lens.fixable) == ("vulnerabilities", "app", True)
    assert app.where(fixable=False, place="").lens == blog.where(lens="vulnerabilities").lens
    assert blog.where(known_by="ever").where(known_by="").lens == blog.lens, "the study's own day"
    heavy = blog.with_weights(size=3).with_weights(fixable=2)
    assert (heavy.weights["size"], heavy.weights["fixable"]) == (3, 2)


def test_a_style_is_of_its_answers_alone(blog: Comparison, tmp_path: Path) -> None:
    use_mathjax = pd.options.display.html.use_mathjax
    styled = blog.style("ko", "dark", transparent=True, save_to=tmp_path)
    answer = styled.vulnerabilities.severity()
    assert "건" in answer.title
    assert {path.suffix for path in tmp_path.rglob("*.*")} == {".png", ".svg", ".csv"}
    assert styled.study.title != blog.study.title, "a study has its texts in both languages"
    assert styled.at("newest").look == styled.look
    assert styled.style(theme="light").language == "ko", "what is not given stays"
    assert "건" not in blog.vulnerabilities.severity().title
    assert pd.options.display.html.use_mathjax == use_mathjax
