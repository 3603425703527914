"""Values of environment variables and build arguments are removed; their names stay."""

import pytest

from helpers.images import redact

SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"ENV TOKEN={SECRET}",
        f"ENV TOKEN {SECRET} and more",
        f"Step 3/9 : ENV A=1 TOKEN={SECRET}",
        f"/bin/sh -c #(nop)  ENV TOKEN={SECRET}",
        f"ARG TOKEN={SECRET}",
        f"|2 TOKEN={SECRET} with blanks A=b /bin/sh -c npm install",
        f"|1 TOKEN=ssh-rsa {SECRET}== me /bin/sh -c npm install",
        f'ENV TOKEN="ssh-rsa {SECRET}== me"',
        f"ENV TOKEN=a\\ {SECRET}",
        f"LABEL TOKEN={SECRET}",
        f"ONBUILD ENV TOKEN={SECRET}",
        f"/bin/sh -c #(nop)  ONBUILD ARG TOKEN={SECRET}",
        f"RUN |2 TOKEN.a-b={SECRET} other.one={SECRET} /bin/sh -c make",
        f"RUN |1 TOKEN={SECRET} /bin/bash -o pipefail -c npm install # buildkit",
    ],
)
def test_an_instruction_keeps_names_only(text: str) -> None:
    redacted = redact.instruction(text)
    assert SECRET not in redacted
    assert "TOKEN" in redacted


def test_other_text_loses_known_values() -> None:
    assert redact.instruction("/bin/sh -c echo ENV x") == "/bin/sh -c echo ENV x"
    assert redact.instruction(f"RUN echo {SECRET}", [SECRET]) == "RUN echo …"
    assert redact.prose("token superuser-9f8e", ["superuser", "superuser-9f8e"]) == "token …"


def test_long_values_are_searched_for_also_line_by_line() -> None:
    assert redact.values([f"TOKEN={SECRET}", "SHORT=1", "EMPTY"]) == [SECRET]
    assert "secretsecret" in redact.values(["KEY=-----BEGIN-----\nsecretsecret\n-----END-----"])


def test_the_value_of_an_argument_may_name_a_shell() -> None:
    text = f"|1 TOKEN=go /bin/sh -c {SECRET} /bin/sh -c npm install"
    assert redact.instruction(text) == "|1 TOKEN … /bin/sh -c npm install"


def test_names_without_values_and_names_of_history() -> None:
    assert redact.instruction("ARG TARGETOS OTHER=x") == "ARG TARGETOS OTHER"
    history = f"/bin/sh -c #(nop)  ENV GREETING=hello {SECRET}=x"
    assert redact.instruction(history, known=["GREETING"]).endswith("ENV GREETING")
