"""Values of environment variables and build arguments: their names stay, they do not."""

import json

from hypothesis import given
from hypothesis import strategies as st

from helpers.images import redact

SECRET = "hunter2-hunter2"


def test_an_instruction_keeps_names_only() -> None:
    for text in (
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
    ):
        assert SECRET not in redact.instruction(text), text
        assert "TOKEN" in redact.instruction(text)


def test_a_command_is_kept_but_for_values_that_are_known() -> None:
    assert redact.instruction("/bin/sh -c echo ENV x") == "/bin/sh -c echo ENV x"
    assert redact.instruction(f"RUN echo {SECRET}", [SECRET]) == "RUN echo …"
    assert redact.values([f"TOKEN={SECRET}", "SHORT=1", "EMPTY"]) == [SECRET]
    key = redact.values(["KEY=-----BEGIN-----\nsecretsecret\n-----END-----"])
    assert "secretsecret" in key, "line by line, as a log has it"


def test_the_value_of_an_argument_may_name_a_shell() -> None:
    told = f"|1 TOKEN=go /bin/sh -c {SECRET} /bin/sh -c npm install"
    assert redact.instruction(told) == "|1 TOKEN … /bin/sh -c npm install"


def test_an_argument_without_a_value_keeps_its_name_and_hides_nothing() -> None:
    assert redact.instruction("ARG TARGETOS OTHER=x") == "ARG TARGETOS OTHER"


def test_the_beginning_of_a_value_does_not_uncover_the_rest() -> None:
    assert redact.prose("token superuser-9f8e", ["superuser", "superuser-9f8e"]) == "token …"


def test_history_has_lost_its_quotes_so_only_known_names_are_kept() -> None:
    told = f"/bin/sh -c #(nop)  ENV GREETING=hello {SECRET}=x"
    assert redact.instruction(told, known=["GREETING"]).endswith("ENV GREETING")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=30))
def test_no_value_is_left_in_a_report(value: str) -> None:
    secret = f"#{value}#"
    report = {
        "ArtifactName": "app",
        "Metadata": {
            "ImageConfig": {
                "config": {
                    "Env": [f"TOKEN={secret}", "PATH=/bin"],
                    "Cmd": ["npm", f"--t={secret}"],
                    "Labels": {"token": secret},
                    "OnBuild": [f"ENV OTHER={secret}-2"],
                },
                "container_config": {"Env": [f"TOKEN={secret}"]},
                "history": [{"created_by": f"/bin/sh -c #(nop)  ENV TOKEN={secret}"}],
            }
        },
        "Results": [
            {"Packages": [{"Layer": {"CreatedBy": f"ENV TOKEN={secret}"}}]},
            {
                "Misconfigurations": [
                    {"ID": "DS-0031", "CauseMetadata": {"Code": {"Lines": [{"Content": secret}]}}}
                ],
                "Secrets": [{"RuleID": "x", "Code": {"Lines": [secret]}, "Match": secret}],
            },
        ],
    }
    told = redact.report(report)
    assert secret not in json.dumps(told, ensure_ascii=False)
    assert told["Metadata"]["ImageConfig"]["config"]["Env"] == ["TOKEN", "PATH"]
    assert told["ArtifactName"] == "app"
    assert told["Results"][1]["Misconfigurations"][0]["ID"] == "DS-0031"
    assert "TOKEN" in told["Results"][0]["Packages"][0]["Layer"]["CreatedBy"]


def test_a_report_of_any_shape_comes_through() -> None:
    for odd in (None, [], {}, {"Metadata": None}, {"Metadata": {"ImageConfig": {"config": 3}}}):
        assert redact.report(odd) == odd
