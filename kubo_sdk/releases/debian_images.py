"""The two container images the source ``debian`` brings along: pause, and busybox to try the cluster with."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk.releases.images import docker_archive

PAUSE_VERSION = "3.2"
PAUSE_IMAGE = f"kubo.local/pause:{PAUSE_VERSION}"
BUSYBOX_IMAGE = "kubo.local/busybox:1"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
GROUP = b"root:x:0:\nnogroup:x:65534:\n"


def write_images(built: Path, into: Path, *, architecture: str) -> tuple[str, ...]:
    """Make the archives of what the build left in *built*; returns their names, the pause image's first."""
    pause = docker_archive(
        PAUSE_IMAGE,
        {"pause": ((built / "pause").read_bytes(), 0o755)},
        architecture=architecture,
        entrypoint=("/pause",),
        environment={"PATH": PATH},
        user="65535:65535",
    )
    busybox = docker_archive(
        BUSYBOX_IMAGE,
        {
            "bin/busybox": ((built / "busybox").read_bytes(), 0o755),
            "etc/passwd": (PASSWD, 0o644),
            "etc/group": (GROUP, 0o644),
            "root/": (b"", 0o700),
            "tmp/": (b"", 0o1777),
        },
        links={f"bin/{applet}": "busybox" for applet in applets((built / "applets").read_text())},
        architecture=architecture,
        command=("sh",),
        environment={"PATH": PATH},
    )
    (into / "pause.tar").write_bytes(pause)
    (into / "busybox.tar").write_bytes(busybox)
    return ("pause.tar", "busybox.tar")


def applets(listing: str) -> tuple[str, ...]:
    """The names ``busybox --list`` prints, without its own."""
    return tuple(name for name in listing.split() if name != "busybox")
