"""The command line: which commands there are and what they take.  Imports nothing that costs time."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

DEFAULT_FILE = "cluster.yml"
STATE_VARIABLE = "KUBO_STATE"
CACHE_VARIABLE = "KUBO_CACHE"

# What a command's own program gets behind "--"; these commands take everything there as it is.
PASSING_ON = ("exec", "kubectl")

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "an error of no kind of its own",
    2: "the command line or the spec is wrong",
    3: "a plugin is broken, missing or clashes with another",
    4: "this host cannot do what is asked of it",
    5: "another process is working on the cluster",
    6: "the plan was refused: it would cost what an operator would regret",
    7: "the world moved since the plan was made",
    8: "some steps failed",
    9: "an outside system, or a command on a machine, said no",
    10: "status: the cluster is not healthy",
    130: "stopped by Ctrl-C; the same command goes on",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line.  What is common stands before or behind the command's name alike."""
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    parser = argparse.ArgumentParser(
        prog="kubo",
        description="Makes a highly available Kubernetes cluster, looks after it and takes it away.",
        epilog=f"exit codes:\n{codes}\n\nexec, ssh, logs and kubectl end with the exit code of what they ran.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(parser, short="-f")
    parser.set_defaults(file=None, state=_directory(STATE_VARIABLE), cache=_directory(CACHE_VARIABLE), json=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _SUMMARIES.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        _common(command, short="" if name == "logs" else "-f")
        _OWN.get(name, _nothing)(command)
    return parser


def _directory(variable: str) -> Path | None:
    found = os.environ.get(variable)
    return Path(found) if found else None


def _common(parser: argparse.ArgumentParser, *, short: str) -> None:
    """Options of every command.  Each is absent unless given, so that one before the command's name survives."""
    names = (short, "--file") if short else ("--file",)
    missing = argparse.SUPPRESS
    parser.add_argument(
        *names, metavar="FILE", default=missing, help=f"the spec of the cluster (default: ./{DEFAULT_FILE})"
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        default=missing,
        help=f"what kubo must keep, secrets included (default: ${STATE_VARIABLE} or /var/lib/kubo)",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        type=Path,
        default=missing,
        help=f"what kubo can make again (default: ${CACHE_VARIABLE} or /var/cache/kubo)",
    )
    parser.add_argument("--json", action="store_true", default=missing, help="print JSON instead of text")


_SUMMARIES: Mapping[str, str] = {
    "up": "make the cluster as FILE describes it; again at any time",
    "plan": "show what up would do, and change nothing",
    "status": "show how the cluster and each instance is",
    "kubeconfig": "print the kubeconfig of the cluster's administrator",
    "kubectl": "run the release's kubectl against the cluster",
    "ssh": "open a shell on an instance",
    "exec": "run a command on an instance",
    "logs": "show the journal of an instance, or of one unit",
    "delete": "take the cluster away with everything it left",
    "plugins": "show what is installed, what it offers and what is broken",
    "version": "show the version",
}


def _nothing(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments of its own."""


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file_argument", metavar="FILE", nargs="?", default=None, help="the same as --file FILE")


def _instance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instance", metavar="INSTANCE", help="for example worker/0")


def _exec(parser: argparse.ArgumentParser) -> None:
    _instance(parser)
    parser.add_argument("program", metavar="CMD", nargs="*", help="the command and its arguments, best behind --")


def _kubectl(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="ARGS", nargs="*", help="arguments for kubectl, best behind --")


def _logs(parser: argparse.ArgumentParser) -> None:
    _instance(parser)
    parser.add_argument("unit", metavar="UNIT", nargs="?", default=None, help="for example kubelet")
    parser.add_argument("-n", "--lines", metavar="N", type=int, default=100, help="how many lines back (default: 100)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as new lines come")


def _kubeconfig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, default=None, help="write a file only you can read"
    )


def _delete(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--keep-disks", action="store_true", help="keep persistent disks and credentials for a later up"
    )


_OWN = {
    "up": _file,
    "plan": _file,
    "status": _file,
    "kubeconfig": _kubeconfig,
    "kubectl": _kubectl,
    "ssh": _instance,
    "exec": _exec,
    "logs": _logs,
    "delete": _delete,
}
