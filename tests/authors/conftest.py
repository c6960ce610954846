"""The desk of an author of plugins: an environment of their own, with kubo-sdk installed and no package index."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from attrs import frozen

import kubo_sdk

SHIM = '#!/bin/sh\nexec "{python}" -m {module} "$@"\n'
CORE = Path(kubo_sdk.__file__).parents[1]
ENVIRONMENT = {
    # mypy finds what is installed as a wheel by itself; a checkout that is installed for editing it does not.
    **({} if CORE.name == "site-packages" else {"MYPYPATH": str(CORE)}),
    "KUBO_DISABLE_PLUGINS": "",
    "KUBO_PLUGINS": "",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_QUIET": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@frozen
class Desk:
    """A virtual environment and a directory to work in."""

    environment: Path
    home: Path

    def run(self, *command: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command as the author would type it; kubo, pip, pytest and python are the desk's own."""
        path = f"{self.environment / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        program = self.environment / "bin" / command[0]
        return subprocess.run(
            [str(program) if program.exists() else command[0], *command[1:]],
            cwd=at or self.home,
            env={**os.environ, **ENVIRONMENT, "PATH": path, "VIRTUAL_ENV": str(self.environment)},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

    def done(self, *command: str, at: Path | None = None) -> str:
        """The same, for what must succeed; its standard output."""
        ended = self.run(*command, at=at)
        assert ended.returncode == 0, f"{' '.join(command)}:\n{ended.stdout[-6000:]}{ended.stderr[-6000:]}"
        return ended.stdout


def new_desk(home: Path) -> Desk:
    """A desk at *home* that sees what this Python has installed, kubo-sdk among it."""
    environment = home / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    seen = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    lines = [f"import site; site.addsitedir({place!r})" for place in dict.fromkeys(seen)]
    (environment / "lib" / version / "site-packages" / "seen.pth").write_text("\n".join(lines) + "\n")
    for module, name in (("kubo_sdk", "kubo"), ("pip", "pip"), ("pytest", "pytest")):
        shim = environment / "bin" / name
        shim.write_text(SHIM.format(python=python, module=module))
        shim.chmod(0o755)
    return Desk(environment=environment, home=home)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk for one test."""
    return new_desk(tmp_path)
