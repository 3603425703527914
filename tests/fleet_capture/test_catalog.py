"""What a registry lists, page by page, and what it may answer instead."""

import json
import threading
from collections.abc import Iterator

import pytest

from helpers.fleet_capture import catalog
from helpers.fleet_capture.fleet_list import Entry
from helpers.registry import repository
from tests.support import faulty_registry
from tests.support import image_archives as images
from tests.support.faulty_registry import Faulty, answer
from tests.support.registries import Registry


@pytest.fixture
def served() -> Iterator[Faulty]:
    with faulty_registry.serving() as running:
        page(running, "/v2/_catalog?n=1000", repositories=["app"])
        page(running, "/v2/app/tags/list?n=1000", tags=["1"])
        yield running


def page(served: Faulty, path: str, **fields: object) -> None:
    served.files[path] = json.dumps(fields).encode()


def listed(served: Faulty) -> list[Entry]:
    return [*catalog.entries(f"{served.host}/")]


def test_all_pages_of_a_real_registry(
    registry_here: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, layer = registry_here, images.tar()
    for repo in ("pages/a", "pages/b", "pages/c", "pagesnot"):
        for tag in ("1", "2", "3"):
            there.image(repo, layer, tag=tag)
    monkeypatch.setattr(repository, "_PAGE", 2)
    found = [*catalog.entries(f"{there.host}/pages/")]
    names = [f"{there.host}/pages/{name}:{tag}" for name in "abc" for tag in "123"]
    assert found == [Entry(name, "image") for name in names]
    assert {*found} < {*catalog.entries(f"{there.host}/")}


def test_repositories_are_asked_for_their_tags_side_by_side_and_stay_in_order(
    served: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(served, "/v2/_catalog?n=1000", repositories=["b", "a"])
    for name in ("a", "b"):
        page(served, f"/v2/{name}/tags/list?n=1000", tags=["1"])
    both, listed_alone = threading.Barrier(2), repository.Repository.listed

    def waiting(one: repository.Repository, path: str, field: str) -> Iterator[str]:
        if path:
            both.wait(5)
        return listed_alone(one, path, field)

    monkeypatch.setattr(repository.Repository, "listed", waiting)
    assert [entry.name for entry in listed(served)] == [f"{served.host}/{name}:1" for name in "ba"]


def test_pages_that_loop_end_and_what_they_had_is_there(served: Faulty) -> None:
    def again(handler: faulty_registry.Handler, content: bytes) -> bool:
        answer(handler, content, Link=f'<{handler.path}>; rel="next"')
        return True

    served.faulty_path, served.fault = "/v2/_catalog?n=1000", again
    first, problem = listed(served)
    assert first == Entry(f"{served.host}/app:1", "image")
    assert "too many pages" in problem.problem


@pytest.mark.parametrize("link", ["https://elsewhere.example/v2/_catalog?n=2", "/v2/x"])
def test_nobody_else_is_asked(served: Faulty, link: str) -> None:
    def elsewhere(handler: faulty_registry.Handler, content: bytes) -> bool:
        answer(handler, content, Link=f'<{link}>; rel="next"')
        return True

    served.faulty_path, served.fault = "/v2/_catalog?n=1000", elsewhere
    assert "another server" in listed(served)[-1].problem


@pytest.mark.parametrize("content", [b"[1]", b'{"repositories": 3}', b"\xff"])
def test_an_invalid_list_is_a_problem(served: Faulty, content: bytes) -> None:
    served.files["/v2/_catalog?n=1000"] = content
    assert [bool(entry.problem) for entry in listed(served)] == [True]


def test_names_that_are_none_are_problems_and_the_others_follow(served: Faulty) -> None:
    odd = ["../../x", "a b", "x\x1b[31m", "gone", "app"]
    page(served, "/v2/_catalog?n=1000", repositories=odd)
    page(served, "/v2/app/tags/list?n=1000", tags=["1", "../2", "3\n"])
    found = listed(served)
    assert [entry.name for entry in found if entry.kind] == [f"{served.host}/app:1"]
    assert len([entry for entry in found if entry.problem]) == 6
    assert all(entry.shown.isprintable() for entry in found)


def test_docker_hub_has_none() -> None:
    (problem,) = catalog.entries("docker.io/library/")
    assert "Docker Hub has no catalog" in problem.problem


@pytest.mark.parametrize("address", ["localhost:1/", "no such host/", "\x1b/"])
def test_without_a_registry_there_is_a_reason(address: str) -> None:
    (problem,) = catalog.entries(address)
    assert problem.problem
