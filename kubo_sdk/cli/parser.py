"""The command line: which commands there are and what they take.  Imports nothing that costs time."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from kubo_sdk.cli.subcommands import credentials, plugin

DEFAULT_FILE = "cluster.yml"
STATE_VARIABLE = "KUBO_STATE"
CACHE_VARIABLE = "KUBO_CACHE"

# What a command's own program gets behind "--"; these commands take everything there as it is.
PASSING_ON = ("exec", "kubectl")

PLUGIN_PORTS = ("cluster-dns", "cpi", "credential-store", "dns", "ingress", "overlay")

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
    10: "status, check, heal: the cluster is not healthy",
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
    "check": "show what is wrong and what can be done about it, or do it",
    "heal": "repair once what check finds, as far as that is safe",
    "monitor": "watch the cluster and repair it, until told to stop",
    "pause": "have every director leave the cluster, or one instance, alone",
    "resume": "take pause back",
    "kubeconfig": "print the kubeconfig of the cluster's administrator",
    "kubectl": "run the release's kubectl against the cluster",
    "ssh": "open a shell on an instance",
    "exec": "run a command on an instance",
    "logs": "show the journal of an instance, or of one unit",
    "recreate": "replace the machine of an instance; its disk comes with it",
    "stop": "take an instance out of service",
    "start": "put an instance back into service",
    "restart": "restart what runs on an instance",
    "recover": "go on with one etcd member's data after the majority is lost",
    "upgrade": "take the cluster to another version of Kubernetes",
    "backup": "take a backup now, to where the spec says",
    "backups": "list the backups there are",
    "restore": "bring back what the cluster had when a backup was taken",
    "rotate": "exchange authorities and keys while the cluster serves; again to go on",
    "credentials": "move the cluster's credentials to another store",
    "adopt": "find the spec of a cluster whose spec is lost",
    "delete": "take the cluster away with everything it left",
    "tasks": "show what was done to the cluster, by whom, and how it ended",
    "task": "show one task: its steps, how long each took, and a picture of them",
    "plugins": "show what is installed, what it offers and what is broken",
    "plugin": "for authors of plugins: begin one, or check that one keeps its contract",
    "version": "show the version",
}


def _nothing(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments of its own."""


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file_argument", metavar="FILE", nargs="?", default=None, help="the same as --file FILE")


def _up(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    meaning = "replace machines also where nothing would serve meanwhile"
    parser.add_argument("--force", action="store_true", help=meaning)


def _instance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("instance", metavar="INSTANCE", help="for example worker/0")


def _disturb(parser: argparse.ArgumentParser) -> None:
    _instance(parser)
    parser.add_argument("--force", action="store_true", help="also where nothing would serve meanwhile")


def _recover(parser: argparse.ArgumentParser) -> None:
    meaning = "the member whose data counts (default: the one that has seen most)"
    parser.add_argument("survivor", metavar="INSTANCE", nargs="?", default=None, help=meaning)
    parser.add_argument("--force", action="store_true", help="accept that what only the others had is lost")


def _adopt(parser: argparse.ArgumentParser) -> None:
    meaning = "a file that says where to look: name, director, cpi and credential_store, as in a spec"
    parser.add_argument("start", metavar="START", type=Path, help=meaning)
    meaning = "where to write the spec (default: cluster.yml)"
    parser.add_argument("--output", metavar="FILE", type=Path, default=Path(DEFAULT_FILE), help=meaning)


def _upgrade(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--to", metavar="VERSION", default=None, help="for example 1.31.2 (default: what FILE says)")
    parser.add_argument(
        "--through",
        metavar="VERSION",
        action="append",
        default=[],
        help="the version to take of a minor version on the way (default: the newest); may be given again",
    )
    parser.add_argument("--check", action="store_true", help="show the way and what is in it, and change nothing")
    parser.add_argument("--force", action="store_true", help="also where APIs are in use that will be no more")


def _restore(parser: argparse.ArgumentParser) -> None:
    meaning = "its name as kubo backups shows it, or latest"
    parser.add_argument("backup", metavar="BACKUP", help=meaning)
    parser.add_argument("--force", action="store_true", help="accept that what was stored since then is lost")


def _rotate(parser: argparse.ArgumentParser) -> None:
    meaning = "ca, etcd-ca, front-proxy-ca, service-account or encryption-key (default: what is half done)"
    parser.add_argument("leaves", metavar="WHAT", nargs="*", help=meaning)
    parser.add_argument("--all", action="store_true", help="all of these")
    parser.add_argument("--leaves", action="store_true", dest="renew", help="only make all certificates anew")
    parser.add_argument("--undo", action="store_true", help="take back what is half done")
    parser.add_argument(
        "--until",
        choices=("trust", "switch"),
        default=None,
        help="stop when everybody trusts both, or uses the new; again without it to go on",
    )
    parser.add_argument(
        "--settle",
        metavar="SECONDS",
        type=float,
        default=None,
        help="how long programs in pods may take to read their tokens anew (default: 90)",
    )


def _check(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--auto", action="store_true", help="do about each problem what is safe by default")
    parser.add_argument(
        "--resolution",
        metavar="PROBLEM=NAME",
        action="append",
        default=[],
        help="do this about that problem, for example failed_unit:worker/0=reboot; may be given again",
    )


def _monitor(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--once", action="store_true", help="end as soon as there is nothing more to repair")


def _pause(parser: argparse.ArgumentParser) -> None:
    whole = "for example worker/0 (default: the whole cluster)"
    parser.add_argument("instance", metavar="INSTANCE", nargs="?", default=None, help=whole)


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


def _task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="N", type=int, help="the number of the task, as kubo tasks shows it")
    parser.add_argument("--svg", metavar="PATH", type=Path, default=None, help="write the picture as SVG")


def _delete(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--keep-disks", action="store_true", help="keep persistent disks and credentials for a later up"
    )


def _plugin(parser: argparse.ArgumentParser) -> None:
    plugin(parser, _common, PLUGIN_PORTS)


def _credentials(parser: argparse.ArgumentParser) -> None:
    credentials(parser, _common)


_OWN = {
    "up": _up,
    "plan": _file,
    "status": _file,
    "check": _check,
    "heal": _file,
    "monitor": _monitor,
    "pause": _pause,
    "resume": _pause,
    "kubeconfig": _kubeconfig,
    "kubectl": _kubectl,
    "ssh": _instance,
    "exec": _exec,
    "logs": _logs,
    "recreate": _disturb,
    "stop": _disturb,
    "start": _instance,
    "restart": _disturb,
    "recover": _recover,
    "upgrade": _upgrade,
    "backup": _file,
    "backups": _file,
    "restore": _restore,
    "rotate": _rotate,
    "adopt": _adopt,
    "delete": _delete,
    "tasks": _file,
    "task": _task,
    "plugin": _plugin,
    "credentials": _credentials,
}
