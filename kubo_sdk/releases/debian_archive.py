"""Debian's archive, asked through apt with a configuration of our own: versions and verified source packages.

Nothing of the host's apt is changed.  Its mirror, proxies and trusted keys are used; signatures are always required.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from kubo_sdk.errors import AuthError, HostError, NotFound, ProviderError, Unavailable
from kubo_sdk.releases.apart import bound, environment

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNSIGNED = ("is not signed", "NO_PUBKEY", "EXPKEYSIG", "BADSIG", "invalid signature")
NOT_OURS = ("Acquire::IndexTargets", "Acquire::Changelogs", "Acquire::CompressionTypes", "Acquire::cdrom")
TARGET = "$(COMPONENT)|$(CREATED_BY)|$(RELEASE)|$(ORIGIN)|$(REPO_URI)"


class DebianArchive:
    """One suite of Debian on one mirror.  ``work`` is an existing directory for indexes."""

    def __init__(self, work: Path, *, mirror: str, suite: str) -> None:
        self.mirror = mirror
        self.suite = suite
        self.settings = work / "settings.conf"
        self._config = work / "apt.conf"
        signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
        for directory in ("lists/partial", "cache/archives/partial"):
            (work / directory).mkdir(parents=True)
        (work / "sources.list").write_text(f"deb-src{signed} {mirror} {suite} main\n")
        self.settings.touch(mode=0o600)  # a proxy may have a password
        self.settings.write_text(host_settings())
        self._config.touch(mode=0o600)
        self._config.write_text(_configuration(work) + self.settings.read_text())

    def update(self) -> None:
        """Get the signed index of sources.  Unavailable when the mirror is silent, AuthError on a bad signature."""
        self._apt("apt-get", "update", "-o", "APT::Update::Error-Mode=any")

    def source_version(self, package: str) -> str:
        """The newest version of a source package, as Debian writes it.  NotFound when the suite has none."""
        stanzas = self._apt("apt-cache", "showsrc", "--only-source", package)
        versions: list[str] = re.findall(r"^Version: (\S+)$", stanzas, flags=re.MULTILINE)
        if not versions:
            raise NotFound(f"Debian's suite {self.suite} has no source package {package}; choose another suite")
        return max(versions, key=_SortKey)

    def download_source(self, package: str, version: str, into: Path) -> None:
        """Lay the files of a source package into a directory, checked against the signed index."""
        self._apt("apt-get", "source", "--download-only", "--only-source", f"{package}={version}", cwd=into)

    def _apt(self, *command: str, cwd: Path | None = None) -> str:
        variables = {**environment(), "APT_CONFIG": str(self._config)}
        result = _run(bound(command), variables, cwd)
        if result.returncode == 0:
            return result.stdout
        lines = [line for line in result.stderr.splitlines() if line.startswith(("E:", "W:", "Err:"))]
        reason = lines[0].partition(":")[2].strip() if lines else f"{command[0]} failed without a message"
        raise self._error(result.stderr, reason)

    def _error(self, output: str, reason: str) -> ProviderError:
        where = f"Debian's archive at {self.mirror}"
        if any(sign in output for sign in UNSIGNED):
            return AuthError(f"{where} cannot be trusted: {reason}; use another mirror, or update the archive keyring")
        return Unavailable(f"{where} does not answer: {reason}", retry_after=None)


def host_mirror() -> str:
    """The Debian mirror this host's apt is configured with.  HostError when there is none."""
    result = _run(["apt-get", "indextargets", "--format", TARGET], environment(), None)
    mirror = choose_mirror(result.stdout.splitlines())
    if mirror is None:
        raise HostError("the apt configuration of this host names no Debian mirror; set the option 'mirror'")
    return mirror


def choose_mirror(targets: Sequence[str]) -> str | None:
    """The best mirror among lines of component|kind|release|origin|address; pure.

    Lists that were never fetched have no origin, so an address that ends in ``/debian`` counts as Debian's too.
    Suites with a dash are updates and security, which lie elsewhere.
    """
    plain = []
    for target in targets:
        component, kind, release, origin, address = target.split("|", 4)
        if component == "main" and kind == "Packages" and "-" not in release and "+" not in urlsplit(address).scheme:
            plain.append((origin, address.rstrip("/")))
    by_origin = [address for origin, address in plain if origin == "Debian"]
    by_address = [address for origin, address in plain if not origin and address.endswith("/debian")]
    return next(iter(by_origin + by_address), None)


def host_settings() -> str:
    """How this host's apt reaches archives: proxies, timeouts and the like, as lines of an apt configuration."""
    dump = _run(["apt-config", "dump", "Acquire"], environment(), None).stdout
    return "".join(f"{line}\n" for line in dump.splitlines() if not line.startswith(NOT_OURS))


def upstream_version(debian: str) -> str:
    """What upstream calls a Debian version: ``1.20.5+really1.20.2-1.1+deb12u1`` is 1.20.2."""
    version = debian.partition(":")[2] or debian
    version = version.rpartition("-")[0] or version
    version = version.rpartition("+really")[2]
    return re.split(r"[+~]", version)[0]


class _SortKey:
    """Orders versions by dpkg's rules."""

    def __init__(self, version: str) -> None:
        self.version = version

    def __lt__(self, other: _SortKey) -> bool:
        command = ["dpkg", "--compare-versions", self.version, "lt", other.version]
        return _run(command, environment(), None).returncode == 0


def _configuration(work: Path) -> str:
    return f"""\
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "{work}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "{work}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{work}/cache";
APT::Sandbox::User "root";
Acquire::Retries "2";
"""


def _run(command: Sequence[str], variables: dict[str, str], cwd: Path | None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, env=variables, cwd=cwd, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise HostError(f"{command[0]} is not on this host; the release source 'debian' needs a Debian host") from None
