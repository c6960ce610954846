"""A stock Debian image, as far as a directory can be one, and a repository with the packages that it lacks.

Made once and kept in the cache: `apt-get` of this host resolves what is to be downloaded for the tree.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from kubo_sdk_local import recipe
from kubo_sdk_local.config import DEFAULT_CACHE
from kubo_sdk_local.storage import remove_tree

VERSION = 1
# What the cloud images of Debian have, as far as it matters here.
IMAGE = (
    "ca-certificates", "cloud-init", "dbus", "iproute2", "kmod", "openssh-server", "procps", "python3", "sudo",
    "systemd", "systemd-resolved", "systemd-sysv", "systemd-timesyncd",
)  # fmt: skip


@frozen(kw_only=True)
class Stock:
    """``tree``: the image; ``repository``: a directory of .deb files with an index of them."""

    directory: Path

    @property
    def tree(self) -> Path:
        return self.directory / "tree"

    @property
    def repository(self) -> Path:
        return self.directory / "repository"


def stock(packages: Sequence[str], cache: Path = DEFAULT_CACHE) -> Stock:
    """The image, and a repository from which *packages* can be installed on it."""
    inputs = "\n".join((str(VERSION), recipe.SUITE, *IMAGE, "", *sorted(packages)))
    parent = cache / "stock"
    found = Stock(directory=parent / hashlib.sha256(inputs.encode()).hexdigest()[:16])
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.directory.exists():
            fresh = Stock(directory=parent / f".{found.directory.name}.new")
            remove_tree(fresh.directory)
            fresh.directory.mkdir()
            _build(fresh.tree)
            _download(fresh, packages)
            fresh.directory.rename(found.directory)
    return found


def _build(tree: Path) -> None:
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(IMAGE)}"]
    command += [f"--dpkgopt={option}" for option in recipe.DPKG_OPTIONS]
    sources = "\n".join(recipe.debian_sources()) + "\n"
    subprocess.run([*command, recipe.SUITE, str(tree), "-"], input=sources.encode(), check=True, capture_output=True)
    # Whoever has no way to a mirror must be told, not find this host's.
    for leftover in (tree / "etc/apt/sources.list", *(tree / "etc/apt/sources.list.d").iterdir()):
        leftover.unlink(missing_ok=True)
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (tree / "etc/machine-id").write_text("")
    # A test that loses its disk is lost anyway, and four machines at once flush the same one.
    (tree / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    # Systemd takes the machine for a container and puts a login on its console, which is no device of its own here.
    (tree / "etc/systemd/system/console-getty.service").symlink_to("/dev/null")


def _download(stock: Stock, packages: Sequence[str]) -> None:
    """Every package the tree lacks for *packages*, and the index that makes a repository of them."""
    work, repository = stock.directory / "work", stock.repository
    for directory in (work / "lists/partial", work / "archives/partial", repository):
        directory.mkdir(parents=True)
    (work / "sources.list").write_text("\n".join(recipe.debian_sources()) + "\n")
    options = {
        "Dir::Etc::SourceList": work / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": work / "lists",
        "Dir::State::Status": stock.tree / "var/lib/dpkg/status",
        "Dir::Cache::Archives": work / "archives",
        "Dir::Cache::PkgCache": "",
        "Dir::Cache::SrcPkgCache": "",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", "-y", *(f"-o{key}={value}" for key, value in options.items())]
    subprocess.run([*apt, "update"], check=True, capture_output=True)
    subprocess.run([*apt, "--download-only", "install", *packages], check=True, capture_output=True)
    for package in (work / "archives").glob("*.deb"):
        package.rename(repository / package.name.replace("%3a", ":"))
    index = [_stanza(package) for package in sorted(repository.glob("*.deb"))]
    (repository / "Packages").write_text("\n".join(index))
    shutil.rmtree(work)


def _stanza(package: Path) -> str:
    control = subprocess.run(["dpkg-deb", "-f", str(package)], check=True, capture_output=True, text=True).stdout
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    return f"{control}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n"
