"""The stemcell: the Debian tree that every machine's root lies over.  Built once per list of packages, then shared."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from kubo_sdk.errors import HostError
from kubo_sdk_local import recipe
from kubo_sdk_local.config import LocalConfig
from kubo_sdk_local.layout import digest
from kubo_sdk_local.storage import locked, read_json, remove_tree, write_json

_MARKER = "stemcell.json"
_BUILD_SECONDS = 1800


@frozen(kw_only=True)
class Stemcell:
    """The stemcell of one list of packages, below a directory where others lie too; or a tree that somebody gave."""

    parent: Path
    packages: tuple[str, ...] = ()
    given: Path | None = None

    @classmethod
    def of(cls, config: LocalConfig) -> Stemcell:
        """The stemcell that *config* asks for."""
        return cls(parent=config.stemcells, packages=config.stemcell_packages, given=config.stock_tree)

    @property
    def name(self) -> str:
        """What machines made from it are said to be made from."""
        return self.directory.name if self.given is None else f"stock-{digest(str(self.given), length=16)}"

    @property
    def directory(self) -> Path:
        """Where the stemcell of these packages lies, whether it is there or not."""
        inputs = (str(recipe.VERSION), recipe.SUITE, *recipe.packages(self.packages))
        return self.parent / digest(*inputs, length=16)

    @property
    def tree(self) -> Path:
        """The root file system within."""
        return self.given or self.directory / "tree"

    def is_present(self) -> bool:
        """Whether the stemcell is there and whole: cheap enough to ask every time."""
        if self.given is not None:
            return (self.given / "usr/lib/systemd/systemd").is_file()
        try:
            marker = read_json(self.directory / _MARKER) or {}
        except HostError:
            return False
        return marker.get("fingerprint") == fingerprint(self.tree)

    def ensure(self) -> Path:
        """The root file system, built first when it is missing or damaged.  HostError when that cannot be done."""
        if self.is_present():
            return self.tree
        if self.given is not None:
            raise HostError(f"the stock tree {self.given} holds no systemd; unpack a cloud image there")
        with locked(self.parent / ".lock", "the stemcells", timeout=_BUILD_SECONDS) as lock:
            if not self.is_present():
                self._replace(lock)
        return self.tree

    def _replace(self, lock: int) -> None:
        """Build beside, then rename: what bears the name is whole."""
        if shutil.which("mmdebstrap") is None:
            raise HostError("the stemcell needs mmdebstrap, which is not installed; run: apt-get install mmdebstrap")
        if self.directory.exists():
            if _in_use(self.tree):
                raise HostError(
                    f"the stemcell {self.tree} is damaged and machines use it; delete their clusters and run again"
                )
            remove_tree(self.directory)
        fresh = self.directory.with_name(f".{self.directory.name}.new")
        remove_tree(fresh)
        fresh.mkdir(parents=True)
        try:
            _build(fresh / "tree", recipe.packages(self.packages), lock)
            write_json(fresh / _MARKER, {"fingerprint": fingerprint(fresh / "tree"), "recipe": recipe.VERSION})
            fresh.rename(self.directory)
        except BaseException:
            remove_tree(fresh)
            raise


def fingerprint(tree: Path) -> str:
    """A digest over what is installed and over the name and size of every program and library a machine boots with."""
    found = sha256()
    for name in ("usr/bin", "usr/sbin", "usr/lib/systemd", "usr/lib/systemd/system", "etc/systemd/system"):
        directory = tree / name
        if not directory.is_dir():
            return "incomplete"
        for entry in sorted(directory.iterdir()):
            found.update(f"{entry.name} {entry.lstat().st_size}\n".encode())
    status = tree / "var/lib/dpkg/status"
    found.update(status.read_bytes() if status.is_file() else b"")
    return found.hexdigest()


def _in_use(tree: Path) -> bool:
    """Whether any process sees a mount over *tree*."""
    needle = f"lowerdir={tree},".encode()
    for mounts in Path("/proc").glob("[0-9]*/mounts"):
        try:
            if needle in mounts.read_bytes():
                return True
        except OSError:
            continue
    return False


def _build(tree: Path, packages: tuple[str, ...], lock: int) -> None:
    """Run mmdebstrap.  It inherits the lock: should it outlive this process, nobody builds beside it."""
    command = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt={option}" for option in recipe.DPKG_OPTIONS),
        recipe.SUITE,
        str(tree),
        "-",
    ]
    sources = "\n".join(recipe.debian_sources()) + "\n"
    try:
        done = subprocess.run(
            command,
            input=sources.encode(),
            capture_output=True,
            timeout=_BUILD_SECONDS,
            check=False,
            cwd="/",
            pass_fds=(lock,),
        )
    except subprocess.TimeoutExpired as error:
        raise HostError(f"building the stemcell did not end within {_BUILD_SECONDS} s; look at the mirror") from error
    if done.returncode:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.startswith("E:")]
        raise HostError(f"building the stemcell failed: {(lines or ['E: no message'])[0]}; see mmdebstrap(1)")
    recipe.customize(tree)
