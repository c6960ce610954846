"""Gives the release to a machine that cannot see this host's cache: sent in pieces, or fetched by the machine."""

from __future__ import annotations

from pathlib import Path

from kubo_sdk.errors import ShellError
from kubo_sdk.nodes.registries import no_proxy, proxy_urls
from kubo_sdk.nodes.transfer_script import DAMAGED, FETCH, REFUSED
from kubo_sdk.planning.plan import Step
from kubo_sdk.releases.check import read_manifest
from kubo_sdk.releases.packed import Packed, pack_release
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.transfer import send_tree

# $1 is the place of the tree.  A rename comes last, so a tree that is there is complete.
PRESENT = 'test -d "$1"'

FETCH_SECONDS = 900.0
FETCH_AGAIN_SECONDS = 2.0


def install_release(context: StepContext, step: Step) -> None:
    """Where the spec has ``preparation.release_url`` the machine fetches it there, else it is sent."""
    release = context.release()
    shell = context.shell(str(step.instance))
    place = str(release.node_path)
    if shell.run(["sh", "-c", PRESENT, "sh", place]).exit_code == 0:
        return
    if context.spec.preparation.release_url:
        _fetch(context, step, place)
        return

    def pack(anew: bool) -> Packed:
        return pack_release(release.tree, anew=anew)

    send_tree(shell, pack, place, room=_size(release.tree), what=f"the release to {step.instance}")


def _size(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


def _fetch(context: StepContext, step: Step, place: str) -> None:
    """Every file is held against the SHA-256 that the director knows."""
    release, preparation = context.release(), context.spec.preparation
    lines = []
    if preparation.proxy.is_set:
        proxies = proxy_urls(preparation.proxy, context.providers.named_files)
        lines += [f"{name} {url.reveal()}" for name, url in proxies.items()]
        lines.append(f"no_proxy {','.join(no_proxy(context.spec))}")
    for path, record in sorted(read_manifest(release.tree).files.items()):
        lines.append(f"{record.sha256} {'755' if path.startswith('bin/') else '644'} {path}")
    url = f"{preparation.release_url.rstrip('/')}/{release.tree.name}"
    outcome = context.shell(str(step.instance)).run(
        ["sh", "-c", FETCH, "sh", url, place],
        stdin="".join(f"{line}\n" for line in lines).encode(),
        timeout=FETCH_SECONDS,
    )
    if outcome.exit_code in (DAMAGED, REFUSED):
        # The place may be busy, or be filled at this moment.
        told = outcome.stdout.decode(errors="replace").strip()
        raise ShellError(f"{step.instance} cannot fetch the release: {told}", retry_after=FETCH_AGAIN_SECONDS)
    outcome.check(f"fetching the release on {step.instance}")
