"""Builds the agent: one zip file with the modules of `agent` and the few of pyroute2 they use, for the node's Python.

The same sources and the same Python always give the same bytes, so an agent is sent again only when it changed.
pyroute2 is read from where it is installed, never imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import os
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from kubo_sdk.errors import PluginError

PYROUTE2_MODULES = (
    "pyroute2/common.py",
    "pyroute2/netlink/__init__.py",
    "pyroute2/netlink/exceptions.py",
    "pyroute2/netlink/rtnl/__init__.py",
    "pyroute2/netlink/rtnl/ifaddrmsg.py",
    "pyroute2/netlink/rtnl/ndmsg.py",
    "pyroute2/netlink/rtnl/rtmsg.py",
)

# pyroute2's own opens everything it has; the agent needs a few modules
_PYROUTE2_INIT = '"""The netlink messages of pyroute2 {version}, and nothing else of it."""\n'
_MAIN = "import sys\n\nfrom kubo_sdk_flannel.agent.main import main\n\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNCHECKED = (1).to_bytes(4, "little")  # a pyc that names a hash which nobody compares
_MARSHAL_VERSION = 2  # later ones depend on how often an object happens to be referenced


def agent_archive(cache: Path | None = None) -> bytes:
    """The agent's bytes, kept below *cache* for the next process.  Raises PluginError when pyroute2 is absent."""
    sources = _sources()
    if cache is None:
        return _archive(sources)
    kept = cache / f"flannel-agent-{_digest(sources)}.pyz"
    try:
        return kept.read_bytes()
    except FileNotFoundError:
        made = _archive(sources)
        _keep(kept, made)
        return made


def _sources() -> dict[str, bytes]:
    """Source text by path inside the archive."""
    own = Path(__file__).parent
    found = {f"{own.name}/{path.relative_to(own).as_posix()}": path for path in sorted(own.glob("agent/*.py"))}
    found[f"{own.name}/__init__.py"] = own / "__init__.py"
    library = _pyroute2()
    found |= {name: library.parent / name for name in PYROUTE2_MODULES}
    sources = {name: path.read_bytes() for name, path in found.items()}
    sources["pyroute2/__init__.py"] = _PYROUTE2_INIT.format(version=version("pyroute2")).encode()
    sources["__main__.py"] = _MAIN.encode()
    return sources


def _pyroute2() -> Path:
    spec = importlib.util.find_spec("pyroute2")
    if spec is None or spec.origin is None:
        raise PluginError("flannel: pyroute2 is not installed; pip install kubo-sdk-flannel")
    return Path(spec.origin).parent


def _digest(sources: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(importlib.util.MAGIC_NUMBER)
    for name in sorted(sources):
        digest.update(b"%s\0%d\0%s" % (name.encode(), len(sources[name]), sources[name]))
    return digest.hexdigest()[:32]


def _archive(sources: Mapping[str, bytes]) -> bytes:
    """Compiled modules lie uncompressed, to be loaded at once; sources serve a node with another minor of Python."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(sources):
            _add(archive, name, sources[name], zipfile.ZIP_DEFLATED)
            _add(archive, name + "c", _compiled(name, sources[name]), zipfile.ZIP_STORED)
    return out.getvalue()


def _compiled(name: str, source: bytes) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
    return head + marshal.dumps(code, _MARSHAL_VERSION)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, compression: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.external_attr = 0o644 << 16
    entry.compress_type = compression
    archive.writestr(entry, content)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
