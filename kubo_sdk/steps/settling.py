"""Ends a rotation: waits for programs that read their tokens now and then, and has old authorities forgotten."""

from __future__ import annotations

from kubo_sdk.engine.retry import wait_until
from kubo_sdk.errors import NotFound
from kubo_sdk.planning.plan import Step
from kubo_sdk.ports.credentials import Certificate, value_of
from kubo_sdk.steps.access import SUPER_ADMIN, kubernetes_client
from kubo_sdk.steps.context import StepContext

NAMESPACE, NAME = "kube-system", "extension-apiserver-authentication"


def settle(context: StepContext, step: Step) -> None:
    """Let the seconds pass that ``details`` holds."""
    clock = context.clock
    end = clock.monotonic() + float(step.details[0])
    wait_until(
        lambda: clock.monotonic() >= end or None,
        what="time passing",
        timeout=float(step.details[0]) + 1,
        interval=min(1.0, float(step.details[0]) / 4),
        clock=clock,
    )


def forget_authorities(context: StepContext, _step: Step) -> None:
    """Publish to aggregated API servers the authorities in use alone.

    An API server adds its own to those that are published and takes none away.
    """
    credentials = context.state.credentials
    wished = {
        "client-ca-file": value_of(credentials, SUPER_ADMIN, Certificate).ca,
        "requestheader-client-ca-file": value_of(credentials, "front-proxy-client", Certificate).ca,
    }
    client = kubernetes_client(context.state, SUPER_ADMIN)
    try:
        there = client.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{NAME}").get("data") or {}
    except NotFound:
        return  # The next API server to start makes it, with what it knows.
    data = {key: pem for key, pem in wished.items() if key in there}
    client.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "data": data,
        }
    )
