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


def test_the_answer_says_how_much_is_hidden_and_who_put_it_there(table: pd.DataFrame) -> None:
    answer = layer_sizes.answer(table)
    assert answer.title.endswith("most in app 0.3 MB")
    assert "0.3 MB hidden by later layers" in answer.text.plain
    assert "put there by layer 0 (ADD file in /)" in answer.text.plain
    assert answer.table.set_index("part")["size_bytes"].to_dict() == {
        "from the base image": 700_000,
        "on top of it": 600_000,
        "hidden by later layers": 300_000,
    }
    assert [part.key for part in answer.chart.series] == answer.table["part"].tolist()


def test_where_next_to_nothing_is_hidden_the_title_says_what_came_with_the_base() -> None:
    layers = layers_of((600, "a", True), (400, "b", False))
    table = layer_sizes.layers(layers, files_of(file("a", 600), file("b", 400, layer=1)))
    assert layer_sizes.answer(table).title == "From the base image: app 60%"


def test_where_the_base_is_not_known_that_is_said() -> None:
    table = layer_sizes.layers(layers_of((10, "", None)), files_of(file("a", 10)))
    answer = layer_sizes.answer(table)
    assert answer.title == "Next to nothing is hidden by later layers"
    assert answer.table["part"].tolist()[0] == "base not known"
    assert "which of them are the base image's is not known" in answer.text.plain


def test_images_without_files_are_left_out() -> None:
    table = layer_sizes.layers(layers_of((10, "x", True)), files_of())
    answer = layer_sizes.answer(table)
    assert table.empty
    assert (answer.table, answer.chart) == (None, None)
    assert answer.text.plain.startswith("No layers with their files are known")


def test_in_the_rebuilt_images_what_is_shown_and_hidden_adds_up() -> None:
    table = layer_sizes.layers(load_layers("rebuilt-2026"), load_files("rebuilt-2026"))
    assert table.groupby("variant", sort=False)["hidden_bytes"].sum().tolist() == [3384, 1472, 0, 0]
    assert (table["shown_bytes"] + table["hidden_bytes"]).equals(table["size_bytes"])
    assert table["hidden_bytes"].ge(0).all()
