"""The skeleton of a plugin as files: which there are, and their text for one name and port.  Writes nothing."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from attrs import frozen

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN = {"kubo", "kubo_sdk", "tests", *sys.stdlib_module_names}


@frozen(kw_only=True)
class Port:
    """What the files of one port's plugin say."""

    word: str
    module: str
    protocol: str
    called: str
    capabilities: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """As specs and hooks have it: ``credential_store``."""
        return self.word.replace("-", "_")


PORTS: Mapping[str, Port] = {
    port.word: port
    for port in (
        Port(word="cluster-dns", module="cluster_dns", protocol="ClusterDns", called="cluster DNS"),
        Port(word="cpi", module="cpi", protocol="Cpi", called="CPI"),
        Port(
            word="credential-store",
            module="credentials",
            protocol="CredentialStore",
            called="credential store",
            capabilities=("ecdsa-p256",),
        ),
        Port(word="dns", module="dns", protocol="Dns", called="DNS provider", capabilities=("publishes",)),
        Port(word="ingress", module="ingress", protocol="Ingress", called="ingress"),
        Port(word="overlay", module="overlay", protocol="Overlay", called="overlay", capabilities=("node_cidrs",)),
    )
}


def reason_against_name(name: str) -> str | None:
    """Why a plugin cannot be called *name*, in one sentence.  None when it can."""
    if not _NAME.fullmatch(name):
        return f"a plugin cannot be called {name!r}; use small letters, digits and dashes, beginning with a letter"
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in _TAKEN:
        return f"a plugin cannot be called {name!r}: Python or kubo uses that name; add a word, as in 'my-{name}'"
    return None


def skeleton(name: str, port: Port, version: str) -> dict[str, str]:
    """The files, by their paths.  *version* is that of the core the plugin is written for."""
    module = name.replace("-", "_")
    places = {
        "setup.cfg": "every",
        "pyproject.toml": "every",
        "README.md": "every",
        f"{module}/__init__.py": "every",
        f"{module}/plugin.py": "every",
        f"{module}/provider.py": port.word,
        "tests/test_contract.py": port.word,
    }
    values = _values(name, port, version)
    return {path: _template(folder, path.rpartition("/")[2]).substitute(values) for path, folder in places.items()}


def _template(folder: str, name: str) -> Template:
    return Template(files("kubo_sdk.cli").joinpath("skeletons", folder, f"{name}.txt").read_text(encoding="utf-8"))


def _values(name: str, port: Port, version: str) -> dict[str, str]:
    major, minor = version.split(".")[:2]
    article = "an" if port.called[0] in "aeiou" else "a"
    return {
        "name": name,
        "module": name.replace("-", "_"),
        "class_name": "".join(word.capitalize() for word in name.split("-")),
        "word": port.word,
        "port": port.key,
        "port_module": port.module,
        "protocol": port.protocol,
        "record": f"{port.protocol}Provider",
        "imported": ", ".join(sorted(("ConnectContext", f"{port.protocol}Provider"))),
        "called": port.called,
        "article": article,
        "Article": article.capitalize(),
        "capabilities": repr(port.capabilities).replace("'", '"'),
        "series": f"{major}.{minor}",
        "next_series": f"{major}.{int(minor) + 1}",
    }
