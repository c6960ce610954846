"""The Linux system calls that Python 3.11 has no name for.  Standard library only: launchers import it."""

from __future__ import annotations

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SHARED = 0x100000
MS_STRICTATIME = 0x1000000

MNT_DETACH = 2

OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_SYS_OPEN_TREE = 428
_SYS_MOVE_MOUNT = 429
_AT_FDCWD = -100

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def described(error: OSError) -> str:
    """What went wrong and where, in the words a user gets to see."""
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    _checked(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2); an OSError names the target."""
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), options.encode() or None
    )
    _checked(result, f"mounting {target}")


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """Show *source* at *target* as well."""
    mount(source, target, flags=MS_BIND)
    if read_only:
        mount("", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def unmount(target: str) -> None:
    """Detach *target* now; what is still open below it stays usable until closed."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"unmounting {target}")


def pivot_root(new: str, old: str) -> None:
    number = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}[os.uname().machine]
    _checked(_libc.syscall(number, new.encode(), old.encode()), f"making {new} the root")


def set_hostname(name: str) -> None:
    data = name.encode()
    _checked(_libc.sethostname(data, len(data)), "setting the host name")


def die_with_parent(signal: int) -> None:
    """Receive *signal* when the parent dies; 0 takes that back."""
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "asking for a signal at the parent's death")


def drop_from_bounding_set(capability: int) -> None:
    _checked(_libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), f"giving up capability {capability}")


def restore_signal(number: int) -> None:
    """Handle a signal as at the start of a program."""
    _libc.signal(number, None)


def open_tree(path: str) -> int:
    """A copy of the mount at *path*, attached nowhere yet, as a file descriptor."""
    flags = OPEN_TREE_CLONE | os.O_CLOEXEC
    return _checked(_libc.syscall(_SYS_OPEN_TREE, _AT_FDCWD, path.encode(), flags), f"opening the mount {path}")


def move_mount(fd: int, target: str) -> None:
    """Attach what `open_tree` opened at *target*."""
    result = _libc.syscall(_SYS_MOVE_MOUNT, fd, b"", _AT_FDCWD, target.encode(), MOVE_MOUNT_F_EMPTY_PATH)
    _checked(result, f"attaching the mount {target}")
