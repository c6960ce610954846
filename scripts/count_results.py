"""Adds up the JUnit files of one directory and prints one line: N passed, N failed, N skipped."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(directory: str) -> int:
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for path in sorted(Path(directory).glob("*.xml")):
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            for key in total:
                total[key] += int(suite.get(key, 0))
    failed = total["failures"] + total["errors"]
    print(f"{total['tests'] - failed - total['skipped']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
