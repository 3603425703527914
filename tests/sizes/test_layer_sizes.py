"""What each instruction put into an image, and what a later one hides."""

import pandas as pd
import pytest

from helpers.sizes import layer_sizes
from helpers.studies.load import load_files, load_layers
from tests.conftest import file, files_of, layers_of


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ("/bin/sh -c #(nop) COPY dir:0123456789abcdef in /app ", "COPY dir in /app"),
        ('/bin/sh -c #(nop)  CMD ["node"]', 'CMD ["node"]'),
        ("/bin/sh -c apk add curl", "RUN apk add curl"),
        ("RUN /bin/sh -c npm ci # buildkit", "RUN npm ci"),
        ("COPY . . # buildkit", "COPY . ."),
        ("bazel build ...", "bazel build ..."),
        ("", ""),
    ],
)
def test_an_instruction_is_as_its_dockerfile_had_it(created_by: str, instruction: str) -> None:
    assert layer_sizes.instruction(created_by) == instruction


def test_a_long_one_loses_its_middle_and_control_characters_are_not_passed_on() -> None:
    assert len(layer_sizes.instruction("RUN " + "x" * 500)) == layer_sizes.WIDTH
    assert "\x1b" not in layer_sizes.instruction("RUN \x1b[31mred")


@pytest.fixture
def table() -> pd.DataFrame:
    layers = layers_of(
        (1_000_000, "/bin/sh -c #(nop) ADD file:0123456789abcdef in / ", True),
        (600_000, "RUN npm ci", False),
        (0, "WORKDIR /app", False),
    )
    files = files_of(file("a", 700_000), file("b", 500_000, layer=1), file("c", 100_000, layer=1))
    return layer_sizes.layers(layers, files)


def test_what_a_layer_holds_is_shown_or_hidden(table: pd.DataFrame) -> None:
    columns = ["instruction", "size_bytes", "shown_bytes", "hidden_bytes", "files", "from_base"]
    assert list(table[columns].itertuples(index=False, name=None)) == [
        ("ADD file in /", 1_000_000, 700_000, 300_000, 1, True),
        ("RUN npm ci", 600_000, 600_000, 0, 2, False),
        ("WORKDIR /app", 0, 0, 0, 0, False),
    ]


@pytest.mark.parametrize(("from_base", "told"), [(True, "From the base"), (None, "Hidden by")])
def test_the_share_of_a_base_is_told_only_where_it_is_known(from_base, told: str) -> None:
    table = layer_sizes.layers(layers_of((1_000, "x", from_base)), files_of(file("a", 1_000)))
    assert layer_sizes.answer(table).title.startswith(told)


def test_images_without_files_are_left_out() -> None:
    table = layer_sizes.layers(layers_of((10, "x", True)), files_of())
    answer = layer_sizes.answer(table)
    assert table.empty
    assert (answer.table, answer.chart) == (None, None)


def test_in_the_rebuilt_images_what_is_shown_and_hidden_adds_up() -> None:
    table = layer_sizes.layers(load_layers("rebuilt-2026"), load_files("rebuilt-2026"))
    assert table.groupby("variant", sort=False)["hidden_bytes"].sum().tolist() == [3384, 1472, 0, 0]
    assert (table["shown_bytes"] + table["hidden_bytes"]).equals(table["size_bytes"])
    assert table["hidden_bytes"].ge(0).all()
