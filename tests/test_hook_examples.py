"""Every example on the page about hooks runs: it loads as a plugin, takes its options from its spec, and works."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from kubo_sdk import Cluster, Plugins
from kubo_sdk.config.load import from_mapping
from kubo_sdk.errors import NotFound, Unavailable
from kubo_sdk.events import StepFailed
from kubo_sdk.model.instance import ClusterId, Role
from kubo_sdk.planning.plan import Effect, Plan, Step, Verb
from kubo_sdk.ports.cpi import VmRequest
from kubo_sdk.ports.credentials import PasswordParameters
from kubo_sdk.ports.dns import Record
from kubo_sdk.ports.ingress import EndpointRequest, Health
from kubo_sdk.providers import Providers

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "hooks.md"
CLUSTER = ClusterId(director="kubo", name="demo")


def block(hook: str, language: str) -> str:
    """The one block of that language in the section of that hook."""
    parts = re.split(r"^## `(kubo_\w+)\(.*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = dict(zip(parts[1::2], parts[2::2], strict=True))[hook]
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return str(found)


def example(hook: str) -> ModuleType:
    module = ModuleType(f"example_of_{hook}")
    exec(compile(block(hook, "python"), hook, "exec"), vars(module))
    return module


@pytest.fixture
def connected(tmp_path: Path) -> Providers:
    """All six examples of providers in one cluster, chosen and configured by the page's own specs."""
    ports = ("cpi", "credential_store", "dns", "overlay", "ingress", "cluster_dns")
    document: dict[str, Any] = {"name": "demo", "kubernetes": {"version": "1.20.2"}}
    for port in ports:
        document |= yaml.safe_load(block(f"kubo_{port}_providers", "yaml"))
    modules = [example(f"kubo_{port}_providers") for port in ports]
    plugins = Plugins(*modules, load_installed=False)
    return Cluster(from_mapping(document), plugins=plugins, state_dir=tmp_path, base_dir=tmp_path).providers


def test_the_cpi_of_the_page_makes_a_machine_once(connected: Providers) -> None:
    (worker,) = [slot for slot in SPEC.instances(Role.WORKER) if slot.index == 0]
    request = VmRequest(cluster=CLUSTER, instance=worker, token="worker-0")
    vm = connected.cpi.create_vm(request)
    assert connected.cpi.create_vm(request) == vm
    assert vm.provider_id.startswith("shed://eu-1/")
    assert connected.cpi.list_vms(CLUSTER) == (vm,)
    with pytest.raises(Unavailable, match="run nothing"):
        connected.cpi.open_shell(vm).run(["true"])
    connected.cpi.delete_vm(vm.id)
    assert connected.cpi.list_vms(CLUSTER) == ()


def test_the_credential_store_of_the_page_tells_what_was_opened(
    connected: Providers, caplog: pytest.LogCaptureFixture
) -> None:
    made = connected.credential_store.generate("/kubo/demo/admin", PasswordParameters())
    assert connected.credential_store.get("/kubo/demo/admin") == made
    assert [(record.name, record.message) for record in caplog.records] == [("security", "/kubo/demo/admin was opened")]


def test_the_dns_of_the_page_keeps_records(connected: Providers) -> None:
    record = Record(name="api.demo.kubo.internal", type="A", values=("192.0.2.1",))
    connected.dns.put_record(record)
    assert connected.dns.list_records() == (record,)
    connected.dns.delete_record(record.name, "A")
    connected.dns.delete_record(record.name, "A")
    assert connected.dns.list_records() == ()


def test_the_overlay_of_the_page_writes_its_file_on_workers_only(connected: Providers) -> None:
    worker, master = (SPEC.instances(role)[0] for role in (Role.WORKER, Role.MASTER))
    on: Any = connected.overlay
    (file,) = on.node_files(SimpleNamespace(instance=worker)).files
    assert (file.path, file.content) == ("/etc/cni/net.d/10-bridge.conf", '{"type": "bridge", "mtu": 1400}\n')
    assert on.node_files(SimpleNamespace(instance=master)).files == ()


def test_the_ingress_of_the_page_names_the_given_hosts(connected: Providers) -> None:
    request = EndpointRequest(name="api", ports=(8443, 8443), backends=(), health=Health.HTTPS_READYZ)
    endpoint = connected.ingress.ensure_endpoint(request)
    assert (endpoint.host, endpoint.port) == ("api.example.net", 8443)
    assert connected.ingress.list_endpoints() == (endpoint,)


def test_the_cluster_dns_of_the_page_puts_its_service_where_pods_ask(connected: Providers) -> None:
    (service,) = connected.cluster_dns.manifests()
    assert service["spec"]["clusterIP"] == str(SPEC.network.dns_service)
    assert service["spec"]["selector"] == {"k8s-app": "our-dns"}


def test_the_reviewer_of_the_page_refuses_a_plan_that_restarts_much_of_production() -> None:
    plugins = Plugins(example("kubo_review_plan"), load_installed=False)
    steps = [
        Step(verb=Verb.CONFIGURE_INSTANCE, instance=f"worker/{number}", reason="it differs", effect=Effect.RESTART)
        for number in range(4)
    ]
    plan = Plan(cluster=CLUSTER, operation="deploy", steps=tuple(steps))
    production = from_mapping({"name": "prod-eu", "kubernetes": {"version": "1.20.2"}})
    (objection,) = plugins.review(plan, production)
    assert objection.reason == "4 machines would restart; change production in smaller pieces"
    assert plugins.review(plan, SPEC) == ()


def test_the_observer_of_the_page_collects_failures() -> None:
    module = example("kubo_on_event")
    event = StepFailed(
        cluster=CLUSTER,
        at=datetime(2024, 1, 1, tzinfo=UTC),
        step="create vm worker/0",
        title="create vm worker/0",
        error=str(NotFound("no such image")),
        seconds=1.0,
    )
    Plugins(module, load_installed=False).emit(event)
    assert module.failures == ["kubo/demo: create vm worker/0: no such image"]


SPEC = from_mapping({"name": "demo", "kubernetes": {"version": "1.20.2"}})
