"""What of an image its app needs: the programs it is, and what these are linked with."""

import pytest

from helpers.sizes import file_groups
from helpers.studies.load import load_files, load_layers, load_study
from helpers.surface import app_process
from helpers.surface.app_process import APP, COULD_GO, DATA, NEEDED, UNSEEN
from tests.conftest import file, files_of, image_of, layers_of, link, packages_of, program

LAYERS = layers_of((0, "base", True), (0, "app", False))
NODE = program(
    "usr/local/bin/node", 9, elf_interpreter="/lib/ld.so", needed=("libc.so.6",), version="24.1.0"
)
LIBC = file("lib/libc.so.6", elf="shared", package="libc6")
SHELL = program("bin/sh", needed=("libreadline.so",), package="dash")
READLINE = file("lib/libreadline.so", elf="shared", package="readline")
OTHERS = [
    program("usr/bin/sort", package="coreutils"),
    program("usr/bin/test", package="coreutils"),
    program("usr/bin/env", package="coreutils"),
    program("usr/bin/tini"),
    file("usr/local/bin/docker-entrypoint.sh", mode=0o755),
    file("opt/yarn/bin/yarn", mode=0o755),
    link("usr/local/bin/yarn", "/opt/yarn/bin/yarn"),
]
NPM = [
    file("usr/local/lib/node_modules/npm/bin/npm-cli.js", mode=0o755),
    link("usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"),
]


def roots(*files, **image) -> list[str]:
    images = image_of(**{"runtime": "node 24.1.0", **image})
    grouped = file_groups.grouped(files_of(*files), LAYERS, images)
    return app_process.roots(grouped, next(images.itertuples()))


@pytest.mark.parametrize(
    "command",
    [
        "node index.js",
        "/usr/local/bin/node index.js",
        "docker-entrypoint.sh node index.js",
        "/bin/sh -c 'node index.js'",
        "sh -c 'exec node index.js'",
        "npm start",
        "../usr/local/bin/node x",
        "tini -g -- node index.js",
        "env NODE_ENV=production node index.js",
        "sh -c 'NODE_ENV=production exec node index.js'",
        "node sort --mode test",
        "yarn start",
    ],
)
def test_the_app_is_the_program_that_its_command_starts_or_its_runtime(command) -> None:
    found = roots(NODE, SHELL, *NPM, *OTHERS, command=command, working_directory="/app")
    assert found == ["usr/local/bin/node"]


@pytest.mark.parametrize(
    "command",
    [
        "java -jar app.jar",
        "java node",
        "bash run.sh",
        "/start.sh",
        "docker-entrypoint.sh",
        "docker-entrypoint.sh serve",
        "sh -c 'node migrate.js && node index.js'",
        "sh -c",
        "busybox",
        "unclosed 'quote",
        "",
        None,
    ],
)
def test_where_the_command_does_not_tell_the_app_is_not_known(command) -> None:
    start = file("start.sh", mode=0o755)
    assert roots(NODE, SHELL, *NPM, *OTHERS, start, command=command) == []


PYTHON = program("usr/local/bin/python3.13", 9)
LIBPYTHON = file("usr/local/lib/libpython3.13.so.1.0", elf="shared", version="3.13.2")
JAVA = program("opt/java/openjdk/bin/java", 9, version="25.0.3")


MODULE = file("usr/local/lib/python3.12/lib-dynload/_ssl.so", elf="shared")
ADDON = file("app/node_modules/x/x.node", layer=1, elf="shared")
PYTHON_12 = program("usr/local/bin/python3.12")


@pytest.mark.parametrize(
    ("files", "command", "paths"),
    [
        # A name of a program of many commands is that program.
        ((program("bin/busybox"), link("usr/sbin/httpd", "../../bin/busybox")), "httpd -f",
         ["bin/busybox"]),
        # The runtime's own modules, and the app's add-ons, are part of it.
        ((PYTHON_12, MODULE), "python3.12 app.py", [PYTHON_12.path, MODULE.path]),
        ((NODE, ADDON), "node .", [NODE.path, ADDON.path]),
        # A program of the app's own is named by its path.
        ((program("app/server", layer=1), NODE), "./server --port 1", ["app/server"]),
    ],
)  # fmt: skip
def test_what_an_app_begins_with(files, command: str, paths: list[str]) -> None:
    assert roots(*files, command=command, working_directory="/app") == paths


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m gunicorn app:app",
        "gunicorn --bind 0.0.0.0:80 app:app",
        "/app/venv/bin/uvicorn app:app",
        "sh -c 'flask run'",
    ],
)
def test_the_servers_of_python_start_its_program(command) -> None:
    scripts = [
        file(path, mode=0o755)
        for path in ("usr/local/bin/gunicorn", "app/venv/bin/uvicorn", "usr/local/bin/flask")
    ]
    python3 = link("usr/local/bin/python3", "python3.13")
    found = roots(
        PYTHON, python3, LIBPYTHON, SHELL, *scripts, command=command, runtime="python 3.13.2"
    )
    assert found == [PYTHON.path, LIBPYTHON.path]


def test_a_program_outside_of_the_usual_path_is_the_only_one_of_its_name() -> None:
    assert roots(JAVA, command="java -jar app.jar", runtime="java 25.0.3") == [JAVA.path]
    other = program("opt/other/bin/java", 9)
    assert roots(JAVA, other, command="java -jar app.jar", runtime="java 25.0.3") == []


def test_without_a_program_it_is_not_known() -> None:
    assert roots(SHELL, command="/bin/sh -c true", runtime=None) == []
    assert roots(file("app/x.js", layer=1), command="node x.js") == []
    assert roots(*NPM, command="npm start") == []


def needed(*files, packages, **image) -> dict[str, tuple]:
    images = image_of(**{"runtime": "node 24.1.0", "command": "node .", **image})
    grouped = file_groups.grouped(files_of(*files), LAYERS, images)
    table = app_process.needs(grouped, images, packages_of(*packages))
    columns = ["package", "executables", "libraries", "need"]
    return {name: tuple(rest) for name, *rest in table[columns].itertuples(index=False, name=None)}


def test_a_package_is_needed_if_the_app_links_anything_of_it() -> None:
    express = {
        "package": "express",
        "package_class": "lang-pkgs",
        "place": "app",
        "package_path": "app/node_modules/express/package.json",
    }
    of_npm = "usr/local/lib/node_modules/npm/package.json"
    npm = {**express, "package": "npm", "place": "tools", "package_path": of_npm}
    names = ("libc6", "dash", "readline", "tzdata", "debconf", "gone")
    files = (
        NODE,
        LIBC,
        SHELL,
        READLINE,
        *NPM,
        file("usr/share/zoneinfo/UTC", package="tzdata"),
        file("usr/sbin/debconf", mode=0o755, package="debconf"),
        file("app/node_modules/express/index.js", layer=1),
    )
    packages = [*({"package": name} for name in names), express, npm]
    assert needed(*files, packages=packages) == {
        "libc6": (0, 1, NEEDED),
        "dash": (1, 0, COULD_GO),
        "readline": (0, 1, COULD_GO),
        "tzdata": (0, 0, DATA),
        "debconf": (0, 0, COULD_GO),
        "gone": (0, 0, DATA),
        "express": (0, 0, APP),
        "npm": (0, 0, COULD_GO),
    }


def test_what_the_app_is_not_known_to_be_needs_nothing_that_is_known() -> None:
    assert needed(LIBC, packages=[{"package": "libc6"}]) == {"libc6": (0, 1, UNSEEN)}


def test_of_the_rebuilt_distroless_image_node_links_three_packages() -> None:
    study = load_study("rebuilt-2026")
    files, layers = load_files("rebuilt-2026"), load_layers("rebuilt-2026")
    table = app_process.needs(
        file_groups.grouped(files, layers, study.images), study.images, study.packages
    )
    packages = table[table["variant"].eq("node-24-distroless") & table["place"].eq("os")]
    by_need = packages.groupby("need")["package"].agg(list).to_dict()
    assert by_need == {
        NEEDED: ["libc6", "libgcc-s1", "libstdc++6"],
        COULD_GO: ["libgomp1", "libssl3t64", "libzstd1", "zlib1g"],
        DATA: ["base-files", "gcc-14-base", "media-types", "netbase", "tzdata"],
    }
