"""Registries are asked by few at once, and left alone when they ask for it."""

import threading
import time

import pytest

from helpers.errors import RegistryFailed
from helpers.registry.traffic import Traffic


def test_few_at_once_to_each_registry() -> None:
    traffic, now, most = Traffic(at_once=2), [0], [0]
    lock = threading.Lock()

    def ask() -> None:
        with traffic.turn("r.example"):
            with lock:
                now[0] += 1
                most[0] = max(now[0], most[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    with traffic.turn("other.example"):
        pass
    for thread in threads:
        thread.join()
    assert most == [2]


def test_all_wait_when_one_is_told_to_and_it_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    traffic = Traffic()
    begin = time.monotonic()
    for _ in range(3):
        traffic.pause("r.example", 2.0, 429)
    with traffic.turn("other.example"):
        assert time.monotonic() - begin < 1.9
    with traffic.turn("r.example"):
        assert time.monotonic() - begin > 1.9
    assert capsys.readouterr().err == "r.example returned 429; retrying in 2 s\n"


def test_a_registry_that_fails_again_and_again_is_given_up() -> None:
    traffic, error = Traffic(), RegistryFailed("r.example: away")
    for _ in range(9):
        traffic.failed("r.example", error)
    traffic.answered("r.example")
    for _ in range(9):
        traffic.failed("r.example", error)
    with traffic.turn("r.example"):
        pass
    traffic.failed("r.example", error)
    with pytest.raises(RegistryFailed, match="away"), traffic.turn("r.example"):
        pass
    with traffic.turn("other.example"):
        pass
