"""`python -m tests.support.translations [NEW.json]`: keeps the table of translations in order.

Adds rows, `{English: text}` for one language, drops those that nothing says, sorts the table, and
prints each text that has no translation yet.
"""

import csv
import json
import sys
from pathlib import Path

from helpers import paths
from tests.text import test_i18n


def main(language: str = "ko") -> None:
    rows = {row["en"]: row for row in test_i18n.ROWS}
    if sys.argv[1:]:
        for english, text in json.loads(Path(sys.argv[1]).read_text()).items():
            rows[english] = {"en": english, language: text}
    unused = set(rows) - test_i18n.said()
    ordered = sorted(rows.keys() - unused, key=lambda text: (text.casefold(), text))
    with paths.LANGUAGES.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["en", *test_i18n.OTHERS], lineterminator="\n")
        table.writeheader()
        table.writerows(rows[text] for text in ordered)
    for text in sorted(test_i18n.marked() - rows.keys()):
        print("MISSING", json.dumps(text))


if __name__ == "__main__":
    main()
