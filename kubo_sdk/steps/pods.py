"""Waits until pods have what was rotated: the authorities they trust, and tokens signed with the key in use.

A kubelet brings both to its pods some time after they changed, new tokens perhaps only after an hour; one that starts
looks at every pod at once.  So the kubelet of a worker whose pods are behind is restarted, one worker after the other.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography import x509

from kubo_sdk.clients.kubernetes import Object
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import ProviderError, Unavailable
from kubo_sdk.model.instance import Instance, Role
from kubo_sdk.pki.certificates import load_bundle
from kubo_sdk.pki.successors import trusted_keys
from kubo_sdk.pki.tokens import key_id, named_key
from kubo_sdk.planning.plan import Step
from kubo_sdk.planning.rotation import CA, SERVICE_ACCOUNT
from kubo_sdk.ports.credentials import Certificate, KeyPair, value_of
from kubo_sdk.steps.access import ADMIN, kubernetes_client
from kubo_sdk.steps.context import StepContext
from kubo_sdk.steps.credentials import node_name
from kubo_sdk.steps.secrets import TOKENS

# A controller manager that was restarted waits 15 s for the lease of the one before it.
PUBLISHED_SECONDS = 120
REFRESHED_SECONDS = 180
ROOT_CA = "/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt"

# Lists the files of pods that hold other authorities of the cluster than all of those whose line is given.  Other files
# of that name hold none of them, and lie beside no namespace.
BEHIND_IN_TRUST = r"""
set -u
cd /var/lib/kubelet/pods 2>/dev/null || exit 0
for file in */volumes/kubernetes.io~secret/*/ca.crt */volumes/kubernetes.io~projected/*/ca.crt; do
  if [ ! -e "$file" ] || [ ! -e "${file%/*}/namespace" ]; then continue; fi
  known=0
  for line; do if grep -qxF -e "$line" "$file"; then known=$((known + 1)); fi; done
  if [ "$known" != "$#" ] || [ "$(grep -cF 'BEGIN CERTIFICATE' "$file")" != "$#" ]; then echo "$file"; fi
done
"""

# Lists the files of pods that hold a token, each with the head of the token alone: nothing secret leaves the machine.
TOKEN_HEADS = r"""
set -u
cd /var/lib/kubelet/pods 2>/dev/null || exit 0
for file in */volumes/kubernetes.io~secret/*/* */volumes/kubernetes.io~projected/*/*; do
  if [ -f "$file" ]; then
    head=$(head -c 512 "$file" | tr -d '\000' | grep -aoE '^eyJ[A-Za-z0-9_-]+\.' | head -n 1)
    if [ -n "$head" ]; then echo "$file $head"; fi
  fi
done
"""


def await_pods(context: StepContext, step: Step) -> None:
    """Wait until all pods have what is in use of the leaves that ``details`` names: ``ca``, ``service-account``."""
    if CA in step.details:
        _await_published(context)
    for worker in context.spec.instances(Role.WORKER):
        if worker.id in context.state.vms and _behind(context, worker, step.details):
            context.say(f"restarting the kubelet of {worker.id}, whose pods are behind")
            shell = context.shell(worker.id)
            shell.run(["systemctl", "restart", "kubelet"]).check(f"restarting the kubelet of {worker.id}")
            _await_worker(context, worker, step.details)


def _await_worker(context: StepContext, worker: Instance, leaves: Sequence[str]) -> None:
    client = kubernetes_client(context.state)
    name = node_name(context.spec, worker, context.vm(worker.id).address)

    def caught_up() -> bool:
        behind = _behind(context, worker, leaves)
        if behind:
            raise Unavailable(f"{len(behind)} files of pods are behind, the first is {behind[0]}")
        if not client.node(name).ready:
            raise Unavailable("its Node is not Ready")
        return True

    what = f"pods on {worker.id} having what was rotated"
    wait_until(caught_up, what=what, timeout=REFRESHED_SECONDS, interval=0.5, clock=context.clock)


def _behind(context: StepContext, worker: Instance, leaves: Sequence[str]) -> tuple[str, ...]:
    """The files of pods on that worker that do not have what is in use."""
    found: list[str] = []
    if CA in leaves:
        lines = [_line_of(pem) for pem in _bundle(context)]
        found += _told(context, worker, BEHIND_IN_TRUST, lines)
    if SERVICE_ACCOUNT in leaves:
        _, *old = trusted_keys(context.state.credentials, SERVICE_ACCOUNT, KeyPair)
        heads = (line.rpartition(" ") for line in _told(context, worker, TOKEN_HEADS, ()))
        kids = {key_id(pair) for pair in old}
        found += [file for file, _, head in heads if named_key(head) in kids]
    return tuple(found)


def _told(context: StepContext, worker: Instance, script: str, arguments: Sequence[str]) -> list[str]:
    outcome = context.shell(worker.id).run(["sh", "-c", script, "sh", *arguments])
    return outcome.check(f"looking at the pods of {worker.id}").decode(errors="replace").splitlines()


def _bundle(context: StepContext) -> tuple[str, ...]:
    """Each certificate that a pod is to trust, as PEM."""
    admin = value_of(context.state.credentials, ADMIN, Certificate)
    parts = admin.ca.split("-----END CERTIFICATE-----")
    return tuple(part for part in parts if part.strip())


def _line_of(pem: str) -> str:
    """The last full line: a part of the signature, so no other certificate has it."""
    return [line for line in pem.splitlines() if line and not line.startswith("-")][-2]


def _await_published(context: StepContext) -> None:
    client = kubernetes_client(context.state)
    wished = set(load_bundle(value_of(context.state.credentials, ADMIN, Certificate).ca, ADMIN))

    def published() -> bool:
        for item in (*client.list_pages(ROOT_CA), *client.list_pages(TOKENS)):
            if _authorities_in(item) not in (None, wished):
                metadata = item["metadata"]
                raise Unavailable(f"{metadata['name']} in namespace {metadata['namespace']} is behind")
        return True

    what = "the controller manager publishing the authorities in use"
    wait_until(published, what=what, timeout=PUBLISHED_SECONDS, interval=1.0, clock=context.clock)


def _authorities_in(item: Object) -> set[x509.Certificate] | None:
    """The authorities that a ConfigMap or the Secret of a token tells of; None where it tells of none yet."""
    told = (item.get("data") or {}).get("ca.crt", "")
    pem = base64.b64decode(told).decode(errors="replace") if "type" in item else told
    try:
        return set(load_bundle(pem, "a pod")) if pem else None
    except ProviderError:
        return set()
