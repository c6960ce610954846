"""The source ``debian`` short of the compilation itself, which the end-to-end suite runs."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import AuthError, HostError, KuboError, NotFound, Unavailable
from kubo_sdk.model.version import KubernetesVersion
from kubo_sdk.releases.apart import apart, run
from kubo_sdk.releases.debian import DebianOptions, DebianSource, require_host, require_version
from kubo_sdk.releases.debian_archive import DebianArchive, choose_mirror, upstream_version

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces")
needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="speaks through apt")


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("1.20.5+really1.20.2-1.1+deb12u1", "1.20.2"),
        ("3.4.23-4", "3.4.23"),
        ("3.5.16+dfsg-2", "3.5.16"),
        ("2:1.2.3~rc1-1", "1.2.3"),
        ("1.4", "1.4"),
    ],
)
def test_the_upstream_version_is_read_out_of_debians(debian, upstream):
    assert upstream_version(debian) == upstream


def test_another_version_than_debians_is_refused_with_a_way_out():
    with pytest.raises(NotFound) as caught:
        require_version(KubernetesVersion(1, 31, 2), "1.20.5+really1.20.2-1.1+deb12u1", "bookworm")
    assert str(caught.value) == (
        "Debian's suite bookworm has the source of Kubernetes 1.20.2, not of 1.31.2; "
        "ask for 1.20.2, or take 1.31.2 from the source 'upstream' or 'directory'"
    )


@pytest.mark.parametrize(
    ("targets", "mirror"),
    [
        ([], None),
        (["main|Packages|bookworm|Debian|http://a.test/debian/"], "http://a.test/debian"),
        (["contrib|Packages|bookworm|Debian|http://a.test/debian/"], None),
        (["main|Sources|bookworm|Debian|http://a.test/debian/"], None),
        (["main|Packages|bookworm-security|Debian|http://a.test/debian-security/"], None),
        (["main|Packages|bookworm|Other|http://a.test/debian/"], None),
        (["main|Packages|bookworm||http://never-fetched.test/debian/"], "http://never-fetched.test/debian"),
        (["main|Packages|bookworm|Debian|mirror+file:/etc/apt/mirrors"], None),
        (
            ["main|Packages|nodistro||http://b.test/debian/", "main|Packages|trixie|Debian|https://a.test/d/"],
            "https://a.test/d",
        ),
    ],
)
def test_the_mirror_is_chosen_from_what_apt_is_configured_with(targets, mirror):
    assert choose_mirror(targets) == mirror


@needs_apt
def test_an_archive_that_nobody_signed_is_not_trusted(site, tmp_path):
    site.files["/debian/dists/bookworm/Release"] = b"Origin: Debian\nCodename: bookworm\nComponents: main\n"
    archive = DebianArchive(tmp_path, mirror=f"{site.url}/debian", suite="bookworm")
    with pytest.raises(AuthError, match=f"Debian's archive at {site.url}/debian cannot be trusted: .*is not signed"):
        archive.update()


@needs_apt
def test_an_archive_that_does_not_answer_is_unavailable(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{unused.getsockname()[1]}/debian"
        with pytest.raises(Unavailable, match=f"Debian's archive at {mirror} does not answer: "):
            DebianArchive(tmp_path, mirror=mirror, suite="bookworm").update()


@needs_apt
@needs_root
def test_a_fetch_that_fails_says_what_it_asked_and_leaves_nothing(site, tmp_path, said):
    options = DebianOptions(mirror=f"{site.url}/nothing-here")
    with pytest.raises(KuboError, match="Debian's archive at"):
        DebianSource(options, cache_dir=tmp_path).fetch(KubernetesVersion(1, 20, 2), said.append)
    assert said == [f"asking Debian's archive at {site.url}/nothing-here for the source of Kubernetes"]
    assert [path.name for path in (tmp_path / "releases").iterdir()] == [".1.20.2-debian.lock"]


def test_missing_programs_are_named_with_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match=r"needs apt-get, apt-cache, mmdebstrap, .*run: apt-get install mmdebstrap"):
        require_host(tmp_path)


@needs_root
def test_only_root_may_compile(tmp_path):
    with multiprocessing.get_context("fork").Pool(1) as other:
        assert "needs root" in other.apply(_refusal_as_nobody, (tmp_path,))


def _refusal_as_nobody(directory: Path) -> str:
    os.setuid(65534)
    try:
        require_host(directory)
    except HostError as error:
        return str(error)
    return ""


@needs_root
def test_too_little_room_is_said_before_anything_is_done(tmp_path):
    code = "import sys; from pathlib import Path; from kubo_sdk.releases.debian import require_host; "
    code += "require_host(Path(sys.argv[1]))"
    mount = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, code]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"needs 5 GiB below {tmp_path} and 0.0 GiB are free" in result.stderr


@needs_root
def test_a_program_that_fails_is_told_by_its_last_line_and_its_log(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(HostError, match=f"making it failed: no luck; the whole output is in {log}"):
        run(apart(["sh", "-c", "echo trying; echo no luck >&2; exit 3"]), what="making it", log=log)
    assert log.read_text() == "trying\nno luck\n"


@needs_root
def test_mounts_of_a_build_are_its_own(tmp_path):
    command = apart(["sh", "-c", f"mount -t tmpfs tmpfs {tmp_path} && echo inside > {tmp_path}/file"])
    run(command, what="mounting", log=tmp_path.with_name("log"))
    assert list(tmp_path.iterdir()) == []


@needs_root
def test_a_user_who_stops_ends_every_process_of_the_build(tmp_path):
    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match="started"):
        run(_lasting(tmp_path), what="lasting", log=tmp_path / "log", on_line=stop)
    assert _running(tmp_path) == []


@needs_root
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_caller_takes_every_process_of_the_build_along(tmp_path, sign):
    code = "import sys; from pathlib import Path; from kubo_sdk.releases.apart import run; "
    code += "run(sys.argv[2:], what='x', log=Path(sys.argv[1]), on_line=lambda line: print(line, flush=True))"
    command = [sys.executable, "-c", code, str(tmp_path / "log"), *_lasting(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout.readline() == "started\n"
        assert _running(tmp_path) != []
        caller.send_signal(sign)
    wait_until(lambda: None if _running(tmp_path) else True, what="the end of the build", timeout=10)


def _lasting(mark: Path) -> list[str]:
    """A command with a child, both known by *mark* in their arguments, that would run for a long time."""
    return apart(["sh", "-c", "sleep 1000000 & echo started; wait", str(mark)])


def _running(mark: Path) -> list[str]:
    """The processes of `_lasting`: those that name the mark."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (directory / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if arguments[0] in ("sh", "unshare") and str(mark) in arguments:
            found.append(directory.name)
    return found
