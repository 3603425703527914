"""A comparison: what it holds, and two of them beside each other."""

import inspect
import pydoc
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from IPython.core.completer import IPCompleter, provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from helpers import Comparison, Fleet, paths
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
    return set(re.findall(r"^c\.(?:at\(\"newest\"\)\.)?(\w+)\(", "\n".join(sources), re.MULTILINE))


def test_the_notebooks_ask_every_question() -> None:
    assert asked() == set(Comparison.questions)
    assert all(each.asks.endswith("?") for each in Comparison.questions.values())


@pytest.mark.parametrize("asked_of", [Comparison, Fleet])
def test_what_a_user_may_choose_is_a_text_or_a_number(asked_of: type[Asked]) -> None:
    for name in asked_of.questions:
        _, *choices = inspect.signature(getattr(asked_of, name)).parameters.values()
        assert all(isinstance(each.default, str | int | float) for each in choices), name


def test_a_question_tells_its_function_in_help_and_completion(blog: Comparison) -> None:
    signature = inspect.signature(blog.look_at_first)
    assert (
        str(signature)
        == "(least: float = 0.1, most: int = 10) -> helpers.notebook.display.ShownAnswer"
    )
    text = pydoc.plain(pydoc.render_doc(blog.size_difference))
    assert "size_difference(size: str = '', baseline: str = '')" in text
    assert "How much larger is one image than another?\n    \n    `size` is `unpacked`" in text
    with provisionalcompleter():
        completer = IPCompleter(namespace={"c": blog})
        assert "severity" in [each.text for each in completer.completions("c.seve", 6)]
        line = "c.look_at_first(le"
        assert "least=" in [each.text for each in completer.completions(line, len(line))]
    assert Comparison.questions["severity"].subject == "vulnerabilities"
    assert Comparison.questions["severity"].needs == ("findings", "images", "lens")


def test_two_captures_stand_beside_each_other(blog: Comparison) -> None:
    later = blog.at("2026-11")
    assert blog.severity().table["count"].sum() == 67
    assert later.severity().table["count"].sum() == 156
    assert (blog.capture, later.capture, blog.every.capture) == ("2022-02", "2026-11", "all")
    assert len(blog.every.findings) == 67 + 156


def test_two_lenses_share_their_frames(blog: Comparison) -> None:
    assert blog.severity().table["count"].sum() == 67
    fixable = blog.counting("vulnerabilities", fixable=True)
    assert fixable.severity().table["count"].sum() == 25
    assert fixable._frames is blog._frames
    assert blog.lens.counted == "findings", "the first is as it was"


def test_what_another_lens_changes_is_not_shared(blog: Comparison) -> None:
    total = blog.age_or_base().table["first_total"].iloc[0]
    in_app = blog.counting(place="app")
    assert (total, in_app.age_or_base().table["first_total"].iloc[0]) == (48, 0)
    assert "in the app" in in_app.captures().subtitle
    assert blog.age_or_base().table["first_total"].iloc[0] == 48


def test_what_other_weights_change_is_not_shared(blog: Comparison) -> None:
    newest = blog.at("2026-11")
    newest.steps()
    assert newest.recommendation().title.endswith("fixable findings")
    by_size = newest.weighing(**dict.fromkeys(newest.weights, 0.0) | {"size": 1.0})
    assert by_size.recommendation().subtitle.startswith("Published size")
    assert newest.recommendation().title.endswith("fixable findings"), "it is as it was"
    assert by_size._history is newest._history, "which weights do not change"


def test_some_images_only(blog: Comparison) -> None:
    one = blog.only("nodejs-alpine")
    assert one.severity().title == "Findings: nodejs-alpine 48"
    assert len(one.findings) == len(blog.findings) - 19
    assert one.at("2026-11").severity().title == "Findings: nodejs-alpine 49"
    assert blog.only().findings.empty
    with pytest.raises(ParameterInvalid, match="no image 'alpine'; did you mean 'nodejs-alpine'"):
        blog.only("alpine")


def test_a_frame_that_a_user_changes_changes_no_later_answer(blog: Comparison) -> None:
    before = blog.severity().title
    for frame in (blog.images, blog.findings, blog.packages):
        frame["variant"] = "mine"
        frame.loc[:, "capture"] = "mine"
    table = blog.severity().table
    table["count"] = 0
    assert blog.severity().title == before
    assert len(blog.findings) == 67


def test_reports_are_compared_without_a_study(report_files: list[Path]) -> None:
    reports, study = Comparison.from_reports(report_files), Comparison("blog-2022")
    assert reports.images["variant"].str.partition("/")[0].tolist() == study.study.names()
    ours, theirs = (c.severity().table["count"].tolist() for c in (reports, study))
    assert ours == theirs
    assert "own reports" in reports.severity().footer
    assert "study" not in reports.severity().footer
    only = reports.counting("vulnerabilities", fixable=True).only(reports.images["variant"][0])
    assert len(only.counted_findings) == 25


def test_every_question_has_an_answer_without_a_study(report_files: list[Path]) -> None:
    reports = Comparison.from_reports(report_files, language="ko")
    assert all(getattr(reports, name)().outputs() for name in Comparison.questions)


def test_frames_are_compared_with_a_users_own_columns(blog: Comparison) -> None:
    findings = blog.findings[blog.findings["package"].str.contains("ssl")].assign(team="web")
    ssl = Comparison.from_frames(findings, blog.images)
    assert ssl.severity().table["count"].sum() == len(findings) > 0
    assert set(ssl.findings["team"]) == {"web"}
    assert ssl.count(lambda found: found["team"].eq("web"), "of the web team").lens.own


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
        (lambda: blog.sverity, "Did you mean: 'severity'"),
        (lambda: Comparison("blog2022"), "did you mean 'blog-2022'"),
        (lambda: blog.changes("2026-12"), "did you mean '2026-11'"),
    ):
        with pytest.raises((AttributeError, KitError), match=hint):
            ask()
    with pytest.raises(ParameterInvalid, match="name at least one file"):
        Comparison.from_reports([])
    with pytest.raises(StudyInvalid, match="these images come from frames"):
        Comparison.from_frames(blog.findings, blog.images).at("2026-11")


def test_a_lens_that_fails_says_in_which_of_the_users_lines(blog: Comparison) -> None:
    def lens(findings: pd.DataFrame) -> pd.Series:
        return findings["sevrity"].eq("HIGH")

    with pytest.raises(ParameterInvalid) as raised:
        blog.count(lens, "mine").severity()
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
    ssl = blog.count(lambda findings: findings["package"].str.contains("ssl"), "in SSL packages")
    assert len(ssl.counted_findings) == ssl.severity().table["count"].sum() > 0
    assert "findings, in SSL packages" in ssl.severity().subtitle
    assert ssl.overlap().answer.counted == "vulnerabilities, in SSL packages"
    assert ssl.counting(fixable=True).lens.label == "fixable findings, in SSL packages"
    assert blog.lens.own == (), "the first is as it was"
    with pytest.raises(ParameterInvalid, match="needs a label"):
        blog.count(lambda findings: findings, " ")


def test_images_of_other_studies_stand_beside(blog: Comparison) -> None:
    with pytest.raises(StudyInvalid, match="not scanned alike"):
        _ = blog.beside("matched-2026").findings
    both = blog.at("2026-11").beside("matched-2026").only("nodejs-alpine", "node-24-alpine")
    assert both.severity().title == "49 findings in nodejs-alpine, 21 in node-24-alpine"
    assert "study blog-2022 + matched-2026" in both.severity().footer
    wider = both.beside("rebuilt-2026/2026-11-24")
    assert len(wider.images) == 6, "those that were chosen, and those that come in addition"
    assert "node-24-distroless" not in set(wider.images["variant"])
    with pytest.raises(StudyInvalid, match="no capture '2021'"):
        blog.beside("matched-2026/2021")
    answer = both.counting("vulnerabilities", fixable=True).recommendation()
    assert "node-24-alpine" in answer.title
    assert "study blog-2022 + matched-2026" in answer.footer
    assert "capture 2026-11" in answer.subtitle


@pytest.mark.slow
def test_every_question_can_be_asked_of_images_of_several_studies() -> None:
    several = Comparison("rebuilt-2026").beside("blog-2022/2026-11")
    failed = []
    for name in Comparison.questions:
        try:
            getattr(several, name)().outputs()
        except KitError as error:
            failed.append(f"{name}: {error}")
    assert failed == []


def test_what_there_is_none_of_is_an_error_at_once(blog: Comparison) -> None:
    with pytest.raises(StudyInvalid, match="there is no study 'blog-2023'"):
        Comparison("blog-2023")
    with pytest.raises(StudyInvalid, match="no capture '2021'"):
        blog.at("2021")
    with pytest.raises(ParameterInvalid, match="lens 'bugs'"):
        blog.counting("bugs")
    with pytest.raises(ParameterInvalid, match="weight_size"):
        blog.weighing(1, 1, 0, -1, 1, 1)
    with pytest.raises(ParameterInvalid, match="theme"):
        Comparison("blog-2022", theme="blue")


def test_the_readmes_lines_run() -> None:
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
    assert isinstance(names["answer"], ShownAnswer)
    assert isinstance(names["answer"].answer, Answer)
    lines = [line for line in blocks[0].splitlines() if line]
    assert len(lines) == 4, "four lines from the import to a figure"


@pytest.mark.parametrize("name", ["claims", "age_or_base", "age_or_base_beside"])
def test_what_a_user_changes_in_a_table_changes_no_later_answer(name: str) -> None:
    ask = getattr(Comparison("blog-2022"), name)
    table = ask().table
    before = table.iloc[0, 0]
    table.iloc[0, 0] = "changed"
    assert ask().table.iloc[0, 0] == before
