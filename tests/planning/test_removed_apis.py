"""Who still uses an API that the next version has no more: by the metric of an API server, and by what is stored."""

from __future__ import annotations

from kubo_sdk.planning.removed_apis import WRITTEN, RemovedApi, asked_for, removed_between, why_asked, why_stored

BUDGETS = RemovedApi("policy", "v1beta1", "poddisruptionbudgets", 25)
POLICIES = RemovedApi("policy", "v1beta1", "podsecuritypolicies", 25, successor=False)

# As a real API server tells it, with what Kubernetes' own daemons ask for.
METRICS = """\
# HELP apiserver_requested_deprecated_apis [ALPHA] Gauge of deprecated APIs that have been requested.
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="extensions",removed_release="1.22",resource="ingresses",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="podsecuritypolicies",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="rbac.authorization.k8s.io",removed_release="1.22",resource="roles",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="autoscaling",removed_release="1.26",resource="horizontalpodautoscalers",subresource="",version="v2beta2"} 1
apiserver_requested_total 3
"""  # noqa: E501


def written(name: str, api_version: str, manager: str) -> dict[str, object]:
    fields = [{"manager": manager, "operation": "Update", "apiVersion": api_version}]
    return {"metadata": {"name": name, "namespace": "shop", "managedFields": fields}}


def test_the_metric_counts_what_others_asked_for_and_the_next_version_has_no_more() -> None:
    assert [(api.api_version, api.resource) for api in asked_for(METRICS, 22)] == [
        ("rbac.authorization.k8s.io/v1beta1", "roles")
    ]
    assert [api.removed for api in asked_for(METRICS, 26)] == [22, 26]
    assert asked_for(METRICS, 21) == ()
    assert asked_for("", 36) == ()


def test_a_sentence_names_the_api_and_what_to_do() -> None:
    (api,) = asked_for(METRICS, 22)
    assert why_asked(api).startswith("rbac.authorization.k8s.io/v1beta1 roles was asked for")
    assert "audit log" in why_asked(api)


def test_objects_count_by_the_version_they_were_written_with() -> None:
    old = written("front", "policy/v1beta1", "kubectl-client-side-apply")
    new = written("back", "policy/v1", "kubectl-client-side-apply")
    daemons = written("status", "policy/v1beta1", "kube-controller-manager")
    assert why_stored(BUDGETS, [new, daemons]) == ""
    assert why_stored(BUDGETS, [new, old]).startswith("poddisruptionbudgets shop/front was written with policy/v1beta1")
    assert "shop/front and 1 more" in why_stored(BUDGETS, [old, old])


def test_objects_of_a_kind_without_successor_count_whoever_wrote_them() -> None:
    assert "would be no more with Kubernetes 1.25" in why_stored(POLICIES, [{"metadata": {"name": "restricted"}}])
    assert why_stored(POLICIES, []) == ""


def test_only_what_goes_on_the_way_is_looked_for() -> None:
    assert {api.removed for api in removed_between(20, 22)} == {22}
    assert removed_between(22, 24) == ()
    assert removed_between(20, 36) == WRITTEN
