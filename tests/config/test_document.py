"""What is wrong with a file before anybody asks what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubo_sdk.config import load
from kubo_sdk.config.document import parse_document
from kubo_sdk.config.place import Items, Section
from kubo_sdk.errors import ConfigError

GOOD = "name: demo\nkubernetes: {version: 1.20.2}\n"

CASES = {
    "empty": ("", "1: the file is empty; it needs at least name and kubernetes.version"),
    "only a comment": ("# nothing\n", "1: the file is empty; it needs at least name and kubernetes.version"),
    "no mapping": ("- a\n", "1: the file must hold a mapping that starts with name, not a list"),
    "no YAML": (
        "name: a\n b: [c\n",
        "2: this is not YAML as it should be: mapping values are not allowed in this context",
    ),
    "tab": ("name:\n\tdemo\n", "2: this is not YAML as it should be: found character that cannot start any token"),
    "two documents": (
        GOOD + "---\n" + GOOD,
        "3: this is not YAML as it should be: but found another document",
    ),
    "a tag that runs code": (
        "name: !!python/object/apply:os.system [ls]\n",
        "1: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed; write plain mappings and lists",
    ),
    "key twice": (GOOD + "name: other\n", "3: 'name' stands here a second time, first in line 1; keep one"),
    "key twice, deep": (
        GOOD + "network:\n  pods: 10.0.0.0/16\n  pods: 10.1.0.0/16\n",
        "5: 'pods' stands here a second time, first in line 4; keep one",
    ),
    "key that is a number": (
        GOOD + "cpi: {provider: local, 1: a}\n",
        "3: the key 1 is not a text; put it in quotes",
    ),
    "alias inside itself": (
        GOOD + "cpi: {provider: local, x: &a [*a]}\n",
        "3: an alias stands inside the value it names; write the value out",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_read_gets_one_clear_sentence(case: str, tmp_path: Path) -> None:
    text, sentence = CASES[case]
    path = tmp_path / "cluster.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert f"{path}:{sentence}" in caught.value.problems


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems == (f"{path}: there is no such file; name the file that describes your cluster",)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.problems == (f"{tmp_path}: cannot be read: Is a directory",)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_bytes(b"name: \xff\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.problems == (f"{path}: byte 6 is not UTF-8; save the file as UTF-8 text",)


def test_nested_aliases_do_not_blow_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    document, problems = parse_document("\n".join(lines), "bomb.yml")
    assert problems == ()
    assert document["a29"][0] is document["a29"][8]


def test_mappings_and_lists_remember_their_lines() -> None:
    document, _ = parse_document("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yml")
    inner = document["a"]
    assert isinstance(inner, Section)
    assert isinstance(inner["c"], Items)
    assert (document.line_of("a"), inner.line_of("b"), inner.line_of("c"), inner.line_of("absent")) == (1, 2, 3, 2)
    assert (inner["c"].line_of(0), inner["c"].line_of(1)) == (4, 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yml"
    path.write_text(GOOD)
    path.chmod(0)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            load(path)
        except ConfigError as error:
            os._exit(0 if error.problems == (f"{path}: cannot be read: Permission denied",) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
