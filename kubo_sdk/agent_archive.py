"""agent_archive: a plugin's agent for machines, as one file.  The same sources always give the same bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

_MAIN = "import sys\n\nfrom {package}.main import main\n\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def agent_archive(package: str, directory: Path) -> bytes:
    """The bytes of a zip that a machine's Python runs: ``main()`` of *package*, whose modules lie in *directory*.

    The modules must need nothing but the standard library, and import each other as parts of *package*.
    """
    top = package.split(".")
    sources = {f"{'/'.join(top[:depth])}/__init__.py": b"" for depth in range(1, len(top) + 1)}
    sources |= {f"{'/'.join(top)}/{path.name}": path.read_bytes() for path in directory.glob("*.py")}
    sources["__main__.py"] = _MAIN.format(package=package).encode()
    out = io.BytesIO()
    # Not compressed: another version of zlib would give other bytes, and send the agent again.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            file.writestr(entry, sources[name])
    return out.getvalue()
