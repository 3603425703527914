"""The project about itself: documents keep up with the code, and what is promised is there."""

import ast
import importlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

import helpers
from helpers import Comparison, errors, frames, paths
from helpers.frames import UNKNOWN_COUNT
from helpers.studies import study
from helpers.studies.load import load_study
from helpers.vulnerabilities import captures
from tests.support import golden_runs

ROOT = paths.ROOT
README = (ROOT / "README.md").read_text()
MODULES = sorted(paths.HELPERS.rglob("*.py"))


# Written so that it does not find itself.
A_MACHINE = re.compile(r"/(?:[w]ork/|[r]oot/|[U]sers/|[h]ome/(?!node\b))[\w.-]+/")


def test_what_must_not_run_side_by_side_is_in_one_process(request: pytest.FixtureRequest) -> None:
    """Nothing else would tell if groups of tests were forgotten, as pytest 9.2 makes xdist do."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("the tests do not run side by side")
    assert request.node.nodeid.endswith("@tests/test_project.py")


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_the_guards_see_every_module() -> None:
    committed = {path for path in tracked() if path.is_relative_to(paths.HELPERS)}
    assert {path for path in committed if path.suffix == ".py"} <= set(MODULES)
    assert len(MODULES) > 100


@pytest.mark.parametrize(
    "made",
    [
        *("data/studies/mine/study.toml", "data/studies/today/2030-01-01/capture.json"),
        *("data/runs/today.ko/report.html", "data/cache/gzip-sizes.json"),
        "notebooks/.ipynb_checkpoints/index-checkpoint.ipynb",
    ],
)
def test_git_ignores_what_commands_make(made: str) -> None:
    assert tracked()
    assert (
        subprocess.run(["git", "check-ignore", "-q", made], cwd=ROOT, check=False).returncode == 0
    )


def test_the_data_dictionary_is_that_of_the_code() -> None:
    text = (ROOT / "data/README.md").read_text()
    assert text.endswith(frames.dictionary_markdown()), "python -m helpers dictionary prints it"


def test_documents_are_short() -> None:
    assert len(README.split()) <= 1200
    contributing, _, _ = (ROOT / "CONTRIBUTING.md").read_text().partition("## How counts mislead")
    assert len(contributing.split()) < 1000


def test_what_documents_link_to_is_there() -> None:
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("*/README.md")):
        text = path.read_text()
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
        for name in re.findall(r"`((?:helpers|tests|dockerfiles)/[\w./-]+)`", text):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


@pytest.mark.parametrize(
    "name", ["severity-by-capture", "size-by-group", "attack-surface", "fleet-distributions"]
)
def test_the_readme_shows_the_figures_of_a_run(name: str) -> None:
    shown = golden_runs.PICTURES / f"{name}.png"
    assert f"]({shown.relative_to(ROOT)})" in README
    picture = golden_runs.pictures()[name]()
    with Image.open(shown) as old, Image.open(io.BytesIO(picture.png)) as new:
        difference = np.asarray(old.convert("L"), float) - np.asarray(new.convert("L"), float)
    # Fonts are drawn alike everywhere, but not to the last bit.
    assert np.abs(difference).mean() < 0.5, "python -m tests.support.golden_runs renews it"


def test_the_readmes_numbers_are_those_of_the_evidence(both) -> None:
    text = " ".join(README.split())
    table = captures.across(both.findings, both.images)
    then, now = (table[table["capture"].eq(name)] for name in ("2022-02", "2026-11"))
    alpine, distroless = then["findings"]
    assert f"counted {alpine} findings on Alpine and {distroless} on distroless" in text
    vulnerabilities = then["vulnerabilities"].tolist()
    assert f"{alpine} findings are {vulnerabilities[0]} distinct vulnerabilities" in text
    assert f"the {distroless} are {vulnerabilities[1]}." in text
    assert then["fixable_findings"].tolist() == [alpine, 0]
    assert "have {} and {} findings".format(*now["findings"]) in text
    ours = Comparison("blog-2022").verdict.age_or_base().table.iloc[0]
    pair = (
        Comparison("matched-2026").where(known_by="2026-08-31").verdict.age_or_base().table.iloc[0]
    )
    assert f"Alpine image was {ours['days_older']} days older." in text
    counts = f"Alpine has {pair['first_total']} findings and distroless {pair['second_total']}"
    assert f"{pair['days_older']} days apart, the order reverses: {counts}." in text


def test_every_make_target_is_in_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert targets[1].split() == re.findall(r"^  make ([\w-]+)", told.stdout, re.MULTILINE)


def makes(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What make would do."""
    command = ["make", "--no-print-directory", "--dry-run", "--always-make", *arguments]
    # make runs the tests, too, and hands its own options on.
    own = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=own)


def test_make_refuses_a_variable_that_it_does_not_know() -> None:
    done = makes("reproduce", "study=today")
    assert done.returncode == 2
    assert "Unknown variable: study." in done.stderr
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\b([A-Z_]+)=", "\n".join(re.findall(r"##.*", makefile))))
    known = re.search(r"^KNOWN = ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert known
    assert named <= set(known[1].split())


def test_make_compare_without_images_says_what_to_type() -> None:
    assert "make compare IMAGES=" in makes("compare").stdout
    assert "Name the images" not in makes("compare", "IMAGES=a b").stdout


def test_make_says_that_installing_takes_minutes() -> None:
    before, _, _ = makes("reproduce").stdout.partition(" -m pip ")
    assert "minutes" in before.splitlines()[-2]


@pytest.mark.parametrize(
    "target", ["reproduce", "slides", "live", "compare", "suggest", "gate", "fleet"]
)
def test_the_kit_knows_that_make_started_it(target: str) -> None:
    given = ["STUDY=today", "IMAGE=a", "IMAGES=a b", "BEFORE=a", "AFTER=b", "MIXED=1"]
    last = makes(target, *given).stdout.splitlines()[-1]
    assert f" {errors.BY_MAKE}=1 " in f" {last}"
    if target in ("reproduce", "slides"):
        assert "--param mixed=true" in last


def test_each_test_is_in_make_test_or_in_what_make_test_all_runs_besides() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", "test-all"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    runs = [shlex.split(line) for line in told.stdout.splitlines() if " pytest " in line]
    assert [run[run.index("-m", 4) + 1] for run in runs] == ["not slow", "slow or hypothesis"]
    given = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert given["testpaths"] == ["tests", "helpers"]
    for words in [given["addopts"].split(), *runs]:
        assert not {"-k", "--deselect", "--ignore", "--ignore-glob", "--maxfail"} & set(words)
    assert "make lint" in (ROOT / ".ci/run").read_text()
    assert "make test test-all" in (ROOT / ".ci/run").read_text()


def test_requirements_are_exact_and_the_project_comes_last() -> None:
    for name in ("requirements.txt", "helpers/fleet/requirements.txt", "tests/requirements.txt"):
        lines = [
            line
            for line in (ROOT / name).read_text().splitlines()
            if line and not line.startswith("#")
        ]
        if name == "requirements.txt":
            assert lines.pop() == "-e ."
        assert all(re.match(r"[\w.-]+==[\w.]+( ;|$)", line) for line in lines)


def named(requirements: list[str]) -> set[str]:
    """The names of requirements as package indexes write them; each has a lower bound."""
    found = set()
    for requirement in requirements:
        parts = re.fullmatch(r"([\w.-]+)(\[[\w,]+\])?>=[\d.]+(,<[\d.]+)?(; .+)?", requirement)
        assert parts, requirement
        found.add(normal(parts[1]))
    return found


def normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = (ROOT / "requirements.txt").read_text()
    for name in named(project["project"]["dependencies"]):
        assert re.search(rf"^{name}==", pinned, re.MULTILINE), name
    assert project["project"]["version"] == helpers.__version__
    assert f"## {helpers.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    cited = (ROOT / "CITATION.cff").read_text().splitlines()
    assert f"version: {helpers.__version__}" in cited
    assert f'abstract: "{project["project"]["description"]}"' in cited


def test_where_else_it_opens_names_what_there_is() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert re.fullmatch(r"python:3\.\d+", container["image"]), "no registry is named"
    _, _, target = container["postCreateCommand"].partition("make .venv/")
    assert f"$(VENV)/{target}:" in (ROOT / "Makefile").read_text()
    config = container["containerEnv"]["JUPYTER_CONFIG_PATH"]
    assert config == "${containerWorkspaceFolder}/.jupyter"
    binder = ROOT / ".binder"
    (included,) = re.findall(r"^-r (.*)$", (binder / "requirements.txt").read_text(), re.MULTILINE)
    assert (binder / included).resolve() == ROOT / "requirements.txt"
    versions = [container["image"], (binder / "runtime.txt").read_text().strip()]
    assert [re.split("[:-]", version)[1] for version in versions] == ["3.13"] * 2
    assert os.access(binder / "start", os.X_OK)
    assert '"$REPO_DIR/.jupyter' in (binder / "start").read_text()
    for packages in (container["onCreateCommand"], (binder / "apt.txt").read_text()):
        assert "fonts-noto-cjk" in packages, "Korean letters"


def test_jupyterlab_asks_nobody_about_news() -> None:
    told = json.loads((ROOT / ".jupyter/labconfig/page_config.json").read_text())
    assert told["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}
    assert 'JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter' in (ROOT / "Makefile").read_text()


def test_scripts_of_widgets_make_no_markup() -> None:
    for path in (paths.PICTURE_SCRIPT, paths.DROPZONE_SCRIPT):
        text = path.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
            assert way not in text, path.name
        assert "://" not in text, path.name


def name_of(path: Path) -> str:
    """A module's name below helpers, as in `vulnerabilities.fixes`."""
    return ".".join(path.relative_to(paths.HELPERS).with_suffix("").parts)


def imports(path: Path) -> set[str]:
    """What a module imports: the kit's modules by their names below helpers, others by package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            first, _, rest = node.module.partition(".")
            if first != "helpers":
                found.add(first)
                continue
            own = {f"{rest}.{name.name}" if rest else name.name for name in node.names}
            found |= {rest, *own} & ALL
    return found


ALL = {name_of(path) for path in MODULES}


def test_each_outside_thing_has_one_module_that_talks_to_it() -> None:
    users = {name_of(path): imports(path) for path in MODULES}

    def of(what: str) -> set[str]:
        return {name for name, found in users.items() if what in found}

    assert of("papermill") == {"runs.run"}
    assert of("subprocess") == {"building.buildx", "runs.kernels", "scanning.trivy_program"}
    assert of("docker") == {"containers.daemon"}
    assert of("scanning.scan") == {"capture.evidence"}
    # Nobody else pays for what only fleets need.
    extra = of("dask") | of("distributed") | of("fsspec") | of("pyarrow")
    assert {name.partition(".")[0] for name in extra} == {"fleet"}
    assert of("nbconvert") == {"runs.cells"}
    decks = ("pptx_deck", "pptx_bars", "pptx_xy", "style", "template", "placeholder")
    assert of("pptx") == {f"slides.{name}" for name in decks}


def test_what_is_imported_is_a_dependency_with_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    kit = named(project["project"]["dependencies"])
    fleet = named(project["project"]["optional-dependencies"]["fleet"]) | {"distributed"}
    packages = packages_distributions()
    for folder, wanted in (
        (paths.HELPERS, kit),
        (ROOT / "tests", kit | fleet | named(project["dependency-groups"]["test"])),
    ):
        for path in folder.rglob("*.py"):
            # Only this package needs what comes with the extra.
            wanted = wanted | fleet if path.parent == paths.HELPERS / "fleet" else wanted
            for package in (imports(path) & set(packages)) - {"helpers", "tests"}:
                assert wanted & set(map(normal, packages[package])), f"{path}: {package}"


FLOORS = (
    {"aliases", "clock", "errors", "paths", "processes"},
    {"compressed", "given_file", "own_file", "whole"},
    {"frames"},
    {"text"},
    {"answers", "progress"},
    {"charts"},
    {"comparability", "exploitation", "scans"},
    {"images"},
    {"vex"},
    {"changes", "containers", "studies"},
    {"building", "registry", "scanning", "sizes", "vulnerabilities"},
    {"capture", "gate", "surface"},
    {"fleet_capture", "history", "risk", "verdict"},
    {"notebook", "suggest"},
    {"explore", "fleet", "runs", "slides"},
    {"cli"},
    {"__main__"},
)
"""The packages, each on its floor, from the ground up."""

CAPTURING = {
    "building", "capture", "containers", "fleet_capture", "registry", "scanning", "suggest",
}  # fmt: skip
"""The packages that make evidence."""


def test_imports_go_down_the_floors() -> None:
    floor = {package: height for height, packages in enumerate(FLOORS) for package in packages}
    seen = set()
    for path in MODULES:
        package = name_of(path).partition(".")[0]
        if package == "__init__":
            continue
        for name in imports(path) & ALL:
            other = name.partition(".")[0]
            seen |= {package, other}
            if other != package:
                assert floor[other] < floor[package], f"{path}: {name}"
                # What captures is for the command line.
                users = {*CAPTURING, "cli", "__init__"}
                assert other not in CAPTURING or package in users, f"{path}: {name}"
    assert seen >= set(floor) - {"processes"}


def test_public_functions_say_what_they_return() -> None:
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
                assert node.returns is not None, f"{path.name}: {node.name}"


def test_nothing_happens_on_import() -> None:
    code = (
        "import sys, pathlib\n"
        "import helpers.cli, helpers.studies.load, helpers.charts.figure\n"
        "assert 'papermill' not in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_path_of_a_machine_and_nothing_large_is_committed() -> None:
    for path in tracked():
        assert path.stat().st_size < 2**21, path
        if path.suffix not in (".png", ".gz", ".otf", ".parquet"):
            found = A_MACHINE.search(path.read_text())
            assert found is None, f"{path}: {found and found[0]}"


def test_notebooks_are_stripped() -> None:
    tool = Path(sys.executable).parent / "nbstripout"
    notebooks = sorted({*paths.NOTEBOOKS.glob("*.ipynb")} - {paths.START})
    done = subprocess.run([tool, "--verify", "--keep-id", *notebooks], check=False)
    assert done.returncode == 0, "make format strips them"


def test_recorded_studies_are_complete() -> None:
    assert "blog-2022" in study.names()
    for name in study.names():
        opened = study.open_study(name)
        for capture in opened.captures():
            assert not load_study(name, capture).images["status"].isin(UNKNOWN_COUNT).any()


METHOD = re.compile(
    r"^\| (?P<row>\d+) \| .* \| (?P<notebook>\d\d|fleet) · (?P<heading>[^|]+) \| "
    r"`(?P<module>[\w.]+)\.(?P<function>\w+)` \| `(?P<file>[\w/]+\.py)::(?P<test>\w+)` \|$",
    re.MULTILINE,
)


def test_each_row_of_the_method_has_its_heading_its_function_and_its_test() -> None:
    rows = list(METHOD.finditer((ROOT / "CONTRIBUTING.md").read_text()))
    assert {int(row["row"]) for row in rows} == set(range(1, 22))
    for row in rows:
        (notebook,) = paths.NOTEBOOKS.glob(f"{row['notebook']}[-.]*ipynb")
        headings = [
            cell.source.splitlines()[0] for cell in nbformat.read(notebook, as_version=4).cells
        ]
        assert f"## {row['heading']}" in headings
        module = importlib.import_module(f"helpers.{row['module']}")
        assert callable(getattr(module, row["function"]))
        assert f"def {row['test']}(" in (ROOT / "tests" / row["file"]).read_text(), row["test"]


@pytest.mark.parametrize(
    ("heading", "rows"), [("What a capture records", 9), ("What is known of each system", 14)]
)
def test_each_source_and_each_system_has_its_test(heading: str, rows: int) -> None:
    _, _, rest = (ROOT / "data/README.md").read_text().partition(f"## {heading}\n")
    table = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert len(table) >= rows
    for row in table:
        named = re.search(r"\| `(?P<file>[\w/]+\.py)::(?:\w+::)?(?P<test>\w+)` \|$", row)
        assert named, row
        assert f"def {named['test']}(" in (ROOT / "tests" / named["file"]).read_text(), row


def test_nothing_is_called_secure_or_safe(finished: Path) -> None:
    claim = re.compile(r"\b(in)?secur\w*|\b(un)?safe\w*", re.IGNORECASE)
    for path in sorted((finished / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            told = [o.get("data", {}).get("text/html", "") for o in cell.get("outputs", [])]
            prose = [cell.source] if cell.cell_type == "markdown" else []
            for text in [*prose, *told]:
                assert not claim.search(text), text
