"""Makes anew what a key made that is to go: Secrets encrypted with it, and the tokens in them signed with it."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from kubo_sdk.clients.kubernetes import KubernetesClient, Object
from kubo_sdk.errors import Conflict, NotFound, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.pki.successors import trusted_keys
from kubo_sdk.pki.tokens import is_signed_by, signed_anew
from kubo_sdk.planning.plan import Step
from kubo_sdk.planning.rotation import SERVICE_ACCOUNT
from kubo_sdk.ports.credentials import KeyPair
from kubo_sdk.steps.access import SUPER_ADMIN, kubernetes_client
from kubo_sdk.steps.context import StepContext

SECRETS = "/api/v1/secrets"
TOKENS = f"{SECRETS}?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token"

AT_ONCE = 8
# An API server that was restarted a moment ago, or is busy.
PATIENCE_SECONDS = 30
SAID_EVERY = 1000


def rewrite_secrets(context: StepContext, _step: Step) -> None:
    """Have every Secret stored anew: an API server encrypts what it stores with the key in use.

    One that has it already stays as it is, so this may be done again at any time.
    """
    client = kubernetes_client(context.state, SUPER_ADMIN)
    paths = [_path(item) for item in client.list_pages(SECRETS)]
    for start in range(0, len(paths), SAID_EVERY):
        context.say(f"encrypting Secrets anew: {start} of {len(paths)}")
        _each(context, paths[start : start + SAID_EVERY], client.touch)


def resign_tokens(context: StepContext, _step: Step) -> None:
    """Sign every token that lies in a Secret with the key in use, if the other one signed it.

    No controller does that: it would have to take the token away first.  What neither key signed is left alone.
    """
    client = kubernetes_client(context.state, SUPER_ADMIN)
    pair, *others = trusted_keys(context.state.credentials, SERVICE_ACCOUNT, KeyPair)
    paths = [_path(item) for item in client.list_pages(TOKENS) if _is_of(item, others)]
    context.say(f"signing {len(paths)} tokens in Secrets anew")
    _each(context, paths, lambda path: _resign(client, path, pair, others))


def _resign(client: KubernetesClient, path: str, pair: KeyPair, others: Iterable[KeyPair]) -> None:
    for _ in range(2):
        item = client.get(path)
        if not _is_of(item, others):
            return
        token = base64.b64encode(signed_anew(_token(item), pair).reveal_bytes()).decode()
        try:
            client.replace({**item, "data": {**item["data"], "token": token}})
        except Conflict:
            continue  # The controller manager brings new authorities to the same Secrets.
        except (NotFound, Unavailable):
            raise
        except ProviderError:
            raise ProviderError(f"the token in {path} cannot be signed anew; see what the API server logged") from None
        return
    raise Unavailable(f"{path} is being changed by somebody else all the time")


def _is_of(item: Object, pairs: Iterable[KeyPair]) -> bool:
    return any(is_signed_by(_token(item), pair) for pair in pairs)


def _token(item: Object) -> Secret:
    return Secret(base64.b64decode((item.get("data") or {}).get("token", "")))


def _path(item: Object) -> str:
    metadata = item["metadata"]
    return f"/api/v1/namespaces/{quote(metadata['namespace'])}/secrets/{quote(metadata['name'])}"


def _each(context: StepContext, paths: Iterable[str], act: Callable[[str], None]) -> None:
    """*act* on each, a few at once; what is gone by then is done with."""

    def act_on(path: str) -> None:
        def acted() -> bool:
            with contextlib.suppress(NotFound):
                act(path)
            return True

        context.wait_until(acted, what=f"the change of {path}", timeout=PATIENCE_SECONDS)

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="kubo-secrets") as pool:
        for _ in pool.map(act_on, paths):
            pass
