"""Installs distributions for a test, as a package installer would: metadata, an entry point, a module."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """``install(distribution, entry_point, source, version="1.0")``.  Modules called ``fake_…`` are forgotten again."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delenv("KUBO_PLUGINS", raising=False)
    monkeypatch.delenv("KUBO_DISABLE_PLUGINS", raising=False)
    before = set(sys.modules)

    def installer(distribution: str, entry: str, source: str, *, version: str = "1.0") -> str:
        module = distribution.replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        place = site / f"{module}-{version}.dist-info"
        place.mkdir()
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (place / "entry_points.txt").write_text(f"[kubo_sdk]\n{entry} = {module}\n")
        return distribution

    yield installer
    for name in set(sys.modules) - before:
        if name.startswith("fake_"):
            del sys.modules[name]
