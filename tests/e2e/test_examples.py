"""The examples and the demo run as they are."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from .site import SMALL, Site

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


def test_the_python_example_deploys_a_cluster_and_finds_nothing_left_to_do(empty_site: Site) -> None:
    spec = empty_site.spec("example", SMALL)
    example = ROOT / "examples" / "python" / "deploy.py"
    done = empty_site.run(empty_site.command(sys.executable, str(example), str(spec), str(empty_site.state)))
    assert "healthy: 4 instances" in done.stdout
    assert "nothing left to do: True" in done.stdout


def test_the_demo_shows_everything_it_promises(empty_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = empty_site.home / "demo"
    directory.mkdir()
    shutil.copy(ROOT / "examples" / "quickstart" / "workload.yml", directory)
    # The site deletes what its own spec files describe, so the demo's is one of them.
    (directory / "cluster.yml").symlink_to(empty_site.spec("demo"))
    monkeypatch.setenv("KUBO_STATE", str(empty_site.state))
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin" + os.pathsep + os.environ["PATH"])
    done = empty_site.run(empty_site.command(str(ROOT / "scripts" / "demo"), str(directory)))
    assert "the API answered" in done.stdout
    assert "Delete it all" in done.stdout
