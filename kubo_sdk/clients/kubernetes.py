"""KubernetesClient: the few calls to a cluster's API that the SDK makes, with server-side apply for its objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from kubo_sdk.clients.connection import text
from kubo_sdk.clients.https import HttpsClient
from kubo_sdk.clients.kinds import Resource, known_resource, object_path, root_path
from kubo_sdk.clients.response import Response
from kubo_sdk.clients.stream import LineStream
from kubo_sdk.errors import NotFound, Unavailable

Object = Mapping[str, Any]

FIELD_MANAGER = "kubo"
INSTANCE_LABEL = "kubo/instance"
APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json"}
# A new API server makes these itself, a moment after it says that it is ready.
ITS_OWN = ("default", "kube-system", "kube-public", "kube-node-lease")
# Objects of every other kind may lie in or be made of these.
FIRST = ("Namespace", "CustomResourceDefinition", "ServiceAccount")


@frozen(kw_only=True)
class NodeStatus:
    """One Node, as the API tells it.

    ``instance`` is the slug of the slot its machine fills, empty for a Node that is not ours.  ``reason`` is why the
    Node is not ready.  ``heard``: when its kubelet last said so, by the machine's clock, in seconds since the epoch.
    """

    name: str
    instance: str
    ready: bool
    reason: str
    address: str
    provider_id: str
    pod_cidr: str
    kubelet_version: str
    unschedulable: bool
    heard: int
    labels: Mapping[str, str] = field(hash=False)
    annotations: Mapping[str, str] = field(factory=dict, hash=False)


class Watch:
    """Iterate it for (type, object): ADDED, MODIFIED, DELETED, BOOKMARK.  `close` ends it, from any thread."""

    def __init__(self, stream: LineStream, path: str) -> None:
        self._stream = stream
        self._path = path

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        """Until the server ends the watch.  Unavailable: list again and watch from there."""
        for line in self._stream:
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise Unavailable(f"watch of {self._path} ended: {event['object'].get('message')}; list again")
            yield event["type"], event["object"]

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class KubernetesClient:
    """Thread-safe.  Every method raises ProviderError: AuthError, NotFound, Conflict, Unavailable."""

    def __init__(self, https: HttpsClient) -> None:
        self._https = https
        self._discovered: dict[tuple[str, str], Resource] = {}

    @property
    def endpoint(self) -> str:
        """Where the API is, as people write it: ``10.0.0.1:8443``."""
        return text(self._https.endpoints[0])

    def ready(self) -> bool:
        """Whether an API server answers and says that it can serve."""
        try:
            return self._https.request("GET", "/readyz").status == 200
        except Unavailable:
            return False

    def metrics(self) -> str:
        """What the API server counts, in the text form of Prometheus."""
        return self._https.request("GET", "/metrics").check("get /metrics").body.decode(errors="replace")

    def get(self, path: str) -> Any:
        """The object at *path*, such as ``/api/v1/nodes/10.0.0.5``."""
        return self._https.request("GET", path).check(f"get {path}").json()

    def list(self, path: str, label_selector: str = "") -> tuple[Object, ...]:
        """The objects of the collection at *path*.  Their kind and version are those of the collection."""
        query = f"?{urlencode({'labelSelector': label_selector})}" if label_selector else ""
        reply = self._https.request("GET", path + query).check(f"list {path}").json()
        return tuple(reply.get("items") or ())

    def list_pages(self, path: str, limit: int = 500) -> Iterator[Object]:
        """As `list`, *limit* at a time; *path* may have a query.  One that takes minutes may end in ProviderError."""
        query, resume = "&" if "?" in path else "?", ""
        while True:
            reply = self.get(f"{path}{query}{urlencode({'limit': limit, **({'continue': resume} if resume else {})})}")
            yield from reply.get("items") or ()
            resume = reply["metadata"].get("continue", "")
            if not resume:
                return

    def touch(self, path: str) -> None:
        """Have the object at *path* stored anew as it is.  Its content is in no error.  NotFound when it is gone."""
        response = self._patch(path, {}, MERGE)
        if response.status >= 300:
            raise response.error(f"storing {path} anew failed on {response.endpoint} with HTTP {response.status}")

    def apply(self, item: Object) -> Object:
        """Make the object, or change it, so that it has every field of *item*, whoever set them before."""
        path = self._path(item)
        query = urlencode({"fieldManager": FIELD_MANAGER, "force": "true"})
        response = self._patch(f"{path}?{query}", item, APPLY)
        _check_applied(response, item, f"apply {path}")
        applied: Object = response.json()
        return applied

    def create(self, item: Object) -> Object:
        """Make the object.  Conflict when it is there already."""
        path = self._path(item).rpartition("/")[0]
        body = json.dumps(item).encode()
        made: Object = self._https.request("POST", path, body, headers=JSON).check(f"create in {path}").json()
        return made

    def replace(self, item: Object) -> Object:
        """Put *item* in the place of the object whose ``resourceVersion`` it carries.

        Conflict when somebody changed the object meanwhile, NotFound when it is gone.
        """
        path = self._path(item)
        body = json.dumps(item).encode()
        replaced: Object = self._https.request("PUT", path, body, headers=JSON).check(f"replace {path}").json()
        return replaced

    def apply_all(self, items: Iterable[Object]) -> None:
        """Apply in order, after what the others may lie in: namespaces, definitions, service accounts."""
        for item in sorted(items, key=lambda item: item["kind"] not in FIRST):
            self.apply(item)

    def delete(self, item: Object, *, grace_seconds: int | None = None) -> None:
        """Delete the object that *item* names, and in the background what it owns.  Absent is fine.

        With a grace of 0 a pod's object goes at once, whether its containers run or not.
        """
        options: dict[str, str | int] = {"propagationPolicy": "Background"}
        options |= {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        try:
            path = self._path(item)
            body = json.dumps(options).encode()
            headers = {"Content-Type": "application/json"}
            self._https.request("DELETE", path, body, headers=headers).check(f"delete {path}")
        except NotFound:
            return

    def patch_node_labels(self, name: str, labels: Mapping[str, str | None]) -> None:
        """Set labels of a Node; None takes one away."""
        path = f"/api/v1/nodes/{quote(name)}"
        self._patch(path, {"metadata": {"labels": dict(labels)}}, MERGE).check(f"label node {name}")

    def annotate_node(self, name: str, annotations: Mapping[str, str | None], *, unschedulable: bool) -> None:
        """Set annotations of a Node, None takes one away, and whether pods may come to it."""
        change = {"metadata": {"annotations": dict(annotations)}, "spec": {"unschedulable": unschedulable}}
        self._patch(f"/api/v1/nodes/{quote(name)}", change, MERGE).check(f"change node {name}")

    def node(self, name: str) -> NodeStatus:
        """The Node of that name.  NotFound when there is none."""
        return _node_status(self.get(f"/api/v1/nodes/{quote(name)}"))

    def nodes_of(self, instance: str) -> tuple[NodeStatus, ...]:
        """The Nodes that stand for the instance of that slug."""
        return tuple(map(_node_status, self.list("/api/v1/nodes", f"{INSTANCE_LABEL}={instance}")))

    def pods_on(self, node: str) -> tuple[Object, ...]:
        """Every pod of that Node, ended ones too."""
        return self._pods(node)

    def pods_to_place(self) -> tuple[Object, ...]:
        """Every pod that the scheduler has not looked at yet: it may come to any Node that was free just before."""
        return tuple(pod for pod in self._pods("") if _is_untried(pod))

    def evict(self, namespace: str, pod: str, *, api_version: str) -> Response:
        """Ask for the pod's removal, whatever the answer: 429 when a budget forbids it now, 404 when it is gone."""
        body = {"apiVersion": api_version, "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/eviction"
        return self._https.request("POST", path, json.dumps(body).encode(), headers=JSON, idempotent=True)

    def nodes(self) -> tuple[NodeStatus, ...]:
        """Every Node, by name."""
        return tuple(sorted(map(_node_status, self.list("/api/v1/nodes")), key=lambda node: node.name))

    def watch(
        self, path: str, *, label_selector: str = "", resource_version: str = "", silence: float = 300.0
    ) -> Watch:
        """Watch the collection at *path*, from *resource_version* on or with all there is first.

        Close it, or use it in a ``with``.  *silence* is how many seconds may pass without an event or a bookmark.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true"}
        query |= {"labelSelector": label_selector} if label_selector else {}
        query |= {"resourceVersion": resource_version} if resource_version else {}
        return Watch(
            self._https.stream("GET", f"{path}?{urlencode(query)}", silence=silence, what=f"watch {path}"), path
        )

    def _pods(self, node: str) -> tuple[Object, ...]:
        query = urlencode({"fieldSelector": f"spec.nodeName={node}"})
        reply = self._https.request("GET", f"/api/v1/pods?{query}").check(f"list pods of {node or 'no node'}").json()
        return tuple(reply.get("items") or ())

    def _patch(self, path: str, body: Object, headers: Mapping[str, str]) -> Response:
        return self._https.request("PATCH", path, json.dumps(body).encode(), headers=headers, idempotent=True)

    def _path(self, item: Object) -> str:
        version, kind = item["apiVersion"], item["kind"]
        resource = known_resource(version, kind) or self._discovered.get((version, kind))
        return object_path(item, resource or self._discover(version, kind))

    def _discover(self, version: str, kind: str) -> Resource:
        """Ask the API server what *kind* is called there."""
        for found in self.get(root_path(version))["resources"]:
            if found["kind"] == kind and "/" not in found["name"]:
                resource = Resource(found["name"], found["namespaced"])
                self._discovered[version, kind] = resource
                return resource
        raise NotFound(f"this cluster knows no kind {kind} in {version}; check apiVersion and kind")


def _check_applied(response: Response, item: Object, what: str) -> None:
    """Like `Response.check`, but it knows two things that the status does not say."""
    if response.status == 404 and any(f'namespaces "{name}" not found' in response.explanation() for name in ITS_OWN):
        raise Unavailable(f"{what} must wait: the API server on {response.endpoint} has not made its namespaces yet")
    if response.status >= 300 and item["kind"] == "Secret" and response.status not in (401, 403, 404, 409):
        # The API server quotes what it cannot read, which is the secret.
        raise response.error(f"{what} failed on {response.endpoint} with HTTP {response.status}")
    response.check(what)


def _is_untried(pod: Object) -> bool:
    status = pod.get("status", {})
    told = any(condition["type"] == "PodScheduled" for condition in status.get("conditions") or ())
    return not told and status.get("phase", "Pending") == "Pending" and "deletionTimestamp" not in pod["metadata"]


def _node_status(node: Object) -> NodeStatus:
    metadata, spec, status = node["metadata"], node.get("spec", {}), node.get("status", {})
    ready: Object = next((found for found in status.get("conditions", ()) if found["type"] == "Ready"), {})
    labels: dict[str, str] = dict(metadata.get("labels") or {})
    addresses = {found["type"]: found["address"] for found in status.get("addresses", ())}
    return NodeStatus(
        name=metadata["name"],
        instance=labels.get(INSTANCE_LABEL, ""),
        ready=ready.get("status") == "True",
        reason="" if ready.get("status") == "True" else ready.get("message") or "the kubelet has not reported yet",
        address=addresses.get("InternalIP", ""),
        provider_id=spec.get("providerID", ""),
        pod_cidr=spec.get("podCIDR", ""),
        kubelet_version=status.get("nodeInfo", {}).get("kubeletVersion", ""),
        unschedulable=bool(spec.get("unschedulable", False)),
        heard=_seconds(ready.get("lastHeartbeatTime")),
        labels=labels,
        annotations=dict(metadata.get("annotations") or {}),
    )


def _seconds(moment: str | None) -> int:
    return int(datetime.fromisoformat(moment).timestamp()) if moment else 0
