"""Prepares a machine that starts from a stock image: packages, kernel settings, accounts."""

from __future__ import annotations

from collections.abc import Mapping

from kubo_sdk.errors import ShellError
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.model.preparation_spec import PackageSource
from kubo_sdk.model.release import Release
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.nodes.machine import STATE, MachineManifest
from kubo_sdk.nodes.preparation import Preparation, digest_of, orders, packages_of, preparation
from kubo_sdk.nodes.preparation_script import GOES_ON, HAS_BUNDLE, PREPARE, PROGRAM, REFUSED
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.shell import Outcome, Shell
from kubo_sdk.providers import Providers
from kubo_sdk.releases.packed import Packed, bundle_digest, pack_bundle
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.transfer import send_tree

# How long one command waits on the machine for the end: short enough for a run to be cancelled meanwhile.
WAIT_SECONDS = 30
COMMAND_SECONDS = 90.0
# A machine that was just made may still boot.
BOOT_SECONDS = 600.0
PREPARE_SECONDS = 3600.0
AGAIN_SECONDS = 2.0


def preparation_digests(spec: ClusterSpec, providers: Providers, release: Release | None) -> Mapping[Role, str]:
    """What the preparation of a machine is called, by role; empty where the core prepares none, or cannot tell."""
    if not providers.abilities.stock_images or release is None:
        return {}
    return {role: digest_of(packages_of(spec, role, release, providers.packages(role))) for role in Role}


def is_prepared(digests: Mapping[Role, str], instance: Instance, carried: MachineManifest | None) -> bool:
    """Whether a machine that told what it carries has what `preparation_digests` says, if that says anything."""
    found = carried.prepared if carried is not None else ""
    return digests.get(instance.role, found) == found


def prepare_instance(context: StepContext, step: Step) -> None:
    """One round trip where nothing is missing.  May be cut off at any point and done again."""
    instance = context.instance(step.instance)
    wanted = _preparation(context.spec, context.providers, context.release(), instance.role)
    shell = context.shell(instance.id)
    context.wait_until(lambda: _bundle(context, instance, wanted, shell), what=_awaited(instance), timeout=BOOT_SECONDS)
    given = orders(wanted, now=context.clock.now().timestamp(), bundle=_bundle_place(context))
    command = ["sh", "-c", PREPARE, "sh", PROGRAM, str(WAIT_SECONDS)]

    def ask() -> Outcome:
        return shell.run(command, stdin=given, timeout=COMMAND_SECONDS)

    def ended() -> Outcome | None:
        outcome = ask()
        return None if outcome.exit_code == GOES_ON else outcome

    outcome = context.wait_until(ask, what=_awaited(instance), timeout=BOOT_SECONDS)
    if outcome.exit_code == GOES_ON:
        context.say(f"{instance.id} is being prepared")
        outcome = context.wait_until(ended, what=f"the preparation of {instance.id}", timeout=PREPARE_SECONDS)
    _check(outcome, instance)


def _check(outcome: Outcome, instance: Instance) -> None:
    if outcome.exit_code == REFUSED:
        lasting, _, sentence = outcome.stdout.decode(errors="replace").strip().partition(" ")
        retry_after = AGAIN_SECONDS if lasting == "again" else None
        raise ShellError(f"{instance.id} cannot be prepared: {sentence}", retry_after=retry_after)
    outcome.check(f"preparing {instance.id}")


def _awaited(instance: Instance) -> str:
    return f"an answer of the machine of {instance.id}"


def _preparation(spec: ClusterSpec, providers: Providers, release: Release, role: Role) -> Preparation:
    return preparation(spec, role, release, providers.packages(role), providers.named_files)


def _bundle_place(context: StepContext) -> str:
    """The directory that the packages are sent to; empty where none are sent."""
    packages = context.spec.preparation.packages
    if packages.source is not PackageSource.BUNDLE or packages.bundle is None:
        return ""
    return f"{STATE}/bundle-{bundle_digest(context.providers.base_dir / packages.bundle)}"


def _bundle(context: StepContext, instance: Instance, wanted: Preparation, shell: Shell) -> bool:
    """Send the packages, where they are sent and the machine has use for them."""
    place, directory = _bundle_place(context), context.spec.preparation.packages.bundle
    if not place or directory is None:
        return True
    bundle, cache = context.providers.base_dir / directory, context.release().tree.parent
    if shell.run(["sh", "-c", HAS_BUNDLE, "sh", wanted.digest, place]).exit_code == 0:
        return True

    def pack(anew: bool) -> Packed:
        return pack_bundle(bundle, cache, anew=anew)

    room = sum(path.stat().st_size for path in bundle.glob("*.deb"))
    send_tree(shell, pack, place, room=room, what=f"the packages to {instance.id}")
    return True
