"""The stemcell: what is in it, and what happens when it is not as it was built."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kubo_sdk.errors import HostError
from kubo_sdk_local import syscalls
from kubo_sdk_local.recipe import parse_targets
from kubo_sdk_local.stemcell import Stemcell

TARGET = """\
MetaKey: main/binary-amd64/Packages
Codename: bookworm
{origin}
Base-URI: {uri}dists/{suite}/
Repo-URI: {uri}
Component: {component}
Created-By: {by}
"""


def target(uri: str, suite: str, origin: str = "Origin: Debian", component: str = "main", by: str = "Packages") -> str:
    return TARGET.format(uri=uri, suite=suite, origin=origin, component=component, by=by)


def test_the_stemcell_has_the_programs_and_none_of_the_builders_secrets(stemcell: Stemcell) -> None:
    tree = stemcell.tree
    for name in ("containerd", "etcd", "haproxy", "runc", "ctr", "python3", "curl"):
        assert (tree / "usr/bin" / name).exists() or (tree / "usr/sbin" / name).exists(), name
    assert (tree / "usr/lib/cni/bridge").exists()
    assert (tree / "etc/machine-id").read_text() == ""
    assert not list((tree / "etc/ssh").glob("ssh_host_*"))
    assert not list((tree / "usr/lib/systemd/system-generators").iterdir())
    for name in ("etcd", "etcd2", "haproxy", "containerd", "ssh"):
        assert not list(tree.glob(f"*/systemd/system/{name}.service"))
        assert not (tree / f"usr/lib/systemd/system/{name}.service").exists()
    for name in ("opt/kubo/releases", "var/lib/kubo"):
        assert (tree / name).is_dir()


def test_only_debians_own_suites_are_taken_from_the_hosts_apt() -> None:
    listing = "\n".join(
        (
            target("http://mirror.example/debian/", "bookworm"),
            target("http://mirror.example/debian/", "bookworm", component="contrib"),
            target("http://mirror.example/debian/", "bookworm", by="Translations"),
            target("http://mirror.example/debian-security/", "bookworm-security"),
            target("http://mirror.example/debian/", "bookworm-updates", origin="Trusted: yes"),
            target("http://mirror.example/debian/", "trixie"),
            target("http://vendor.example/debian/", "bookworm", origin="Origin: Vendor"),
            target("http://vendor.example/apt/", "bookworm", origin="Trusted: yes"),
        )
    )
    assert parse_targets(listing) == (
        "deb http://mirror.example/debian-security/ bookworm-security main",
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
    )


@pytest.fixture
def builder(stemcell: Stemcell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ``mmdebstrap`` that copies instead of downloading, and a file with a line for each time it ran."""
    program = tmp_path / "bin" / "mmdebstrap"
    program.parent.mkdir()
    # Its last three arguments are the suite, the target and "-".  What lies in usr is removed from, but never written
    # to in place: links will do, where the file system has them.
    program.write_text(f"""#!/bin/sh
set -e
for word; do target=$last; last=$word; done
echo run >> {tmp_path}/runs
cat > {tmp_path}/sources
mkdir -p $target
for part in {stemcell.tree}/*; do
    case $part in
        */usr) cp -al $part $target || cp -a $part $target ;;
        *) cp -a $part $target ;;
    esac
done
chroot $target userdel kube
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path / "runs"


def test_processes_that_need_it_at_once_build_it_once(builder: Path, tmp_path: Path) -> None:
    stemcell = Stemcell(parent=tmp_path / "stemcells")
    (tmp_path / "stemcells" / f".{stemcell.directory.name}.new" / "tree").mkdir(parents=True)
    assert not stemcell.is_present()
    program = f"""
from pathlib import Path
from kubo_sdk_local.stemcell import Stemcell
print(Stemcell(parent=Path({str(tmp_path / "stemcells")!r})).ensure())
"""
    with ThreadPoolExecutor(3) as pool:
        run = [sys.executable, "-c", program]
        said = list(
            pool.map(lambda _: subprocess.run(run, capture_output=True, text=True, check=True).stdout, range(3))
        )
    assert said == [f"{stemcell.tree}\n"] * 3
    assert builder.read_text() == "run\n"
    assert " bookworm main" in (tmp_path / "sources").read_text()
    assert sorted(path.name for path in stemcell.parent.iterdir()) == [".lock", stemcell.directory.name]

    (stemcell.directory / "stemcell.json").write_text("{")
    assert not stemcell.is_present()
    (stemcell.tree / "usr/bin/containerd").unlink()
    assert not stemcell.is_present()
    seen, upper, work = (tmp_path / name for name in ("seen", "upper", "work"))
    for directory in (seen, upper, work):
        directory.mkdir()
    try:
        layers = f"lowerdir={stemcell.tree},upperdir={upper},workdir={work}"
        syscalls.mount("overlay", str(seen), "overlay", 0, layers)
        with pytest.raises(HostError, match=r"is damaged and machines use it; delete their clusters and run again"):
            stemcell.ensure()
    finally:
        syscalls.unmount(str(seen))
    assert stemcell.ensure() == stemcell.tree
    assert stemcell.is_present()
    assert builder.read_text() == "run\nrun\n"


def test_a_host_without_mmdebstrap_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="run: apt-get install mmdebstrap"):
        Stemcell(parent=tmp_path).ensure()


def test_a_build_that_fails_says_why_and_leaves_no_stemcell(builder: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "mmdebstrap"
    program.write_text("#!/bin/sh\necho 'I: starting' >&2\necho 'E: cannot reach the mirror' >&2\nexit 25\n")
    stemcell = Stemcell(parent=tmp_path / "stemcells")
    with pytest.raises(HostError, match="building the stemcell failed: E: cannot reach the mirror"):
        stemcell.ensure()
    assert not stemcell.is_present()
    assert [path.name for path in stemcell.parent.iterdir()] == [".lock"]


def test_other_packages_make_another_stemcell(tmp_path: Path) -> None:
    plain, more = Stemcell(parent=tmp_path), Stemcell(parent=tmp_path, packages=("tcpdump",))
    assert plain.directory != more.directory
    assert more.directory == Stemcell(parent=tmp_path, packages=("tcpdump", "curl")).directory
