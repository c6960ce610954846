"""docs/how-to/write-a-plugin.md is followed to the letter: every file is written, every command is typed."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import frozen

from .conftest import Desk

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-plugin.md"
NOT_IN_THE_SKELETON = "tests/test_cluster.py"
BLOCK = re.compile(r"(?:^`([\w/.]+)`:\n\n)?^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


@frozen
class Part:
    """One block of the page: a file with its path, or commands with what they print."""

    path: str
    language: str
    text: str


def parts() -> list[Part]:
    return [Part(*found) for found in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def conversations(text: str) -> list[tuple[str, list[str]]]:
    """Each command with the lines the page shows below it."""
    typed = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(lines[0], lines[1:]) for lines in (each.splitlines() for each in typed)]


def shows(told: str, line: str) -> bool:
    """Whether *told* has the line, in which an ellipsis stands for anything."""
    pattern = ".*".join(re.escape(piece.strip()) for piece in line.split("…"))
    return any(re.search(pattern, re.sub(r" +", " ", each)) for each in told.splitlines())


def test_every_program_on_the_page_is_a_file_that_the_reader_writes() -> None:
    assert [part.path for part in parts() if part.language == "python"] == [
        "mydns/plugin.py",
        "mydns/provider.py",
        "tests/test_contract.py",
        NOT_IN_THE_SKELETON,
    ]


def test_whoever_follows_the_page_has_a_plugin_that_keeps_its_contract(desk: Desk) -> None:
    place = desk.home
    for part in parts():
        if part.language == "python":
            expected_there = part.path != NOT_IN_THE_SKELETON
            assert (place / part.path).is_file() is expected_there, f"the skeleton has no {part.path}"
            (place / part.path).write_text(part.text)
        for command, expected in conversations(part.text) if part.language == "console" else ():
            if command.startswith("cd "):
                place /= command.removeprefix("cd ")
                continue
            told = desk.done("bash", "-c", command, at=place)
            for line in expected:
                assert line == "…" or shows(re.sub(r" +", " ", told), re.sub(r" +", " ", line)), f"{command}:\n{told}"
    desk.done(
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--line-length",
        "120",
        "--select",
        "B,E,F,I,RUF,UP,W",
        ".",
        at=place,
    )
    desk.done("mypy", "--strict", "--follow-imports=silent", f"--cache-dir={desk.home / 'mypy'}", "mydns", at=place)
    assert list((place / "dist").glob("mydns-0.1.0-*.whl"))


def test_before_it_is_filled_in_the_suite_fails(desk: Desk) -> None:
    desk.done("kubo", "plugin", "new", "mydns", "--port", "dns")
    desk.done("pip", "install", "--editable", "./mydns[testing]")
    checked = desk.run("kubo", "plugin", "check", "dns", "mydns")
    assert checked.returncode == 3, checked.stdout + checked.stderr
    assert "fill in put_record" in checked.stdout
