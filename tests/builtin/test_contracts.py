"""The built-in providers pass the contracts of their ports."""

from __future__ import annotations

import pytest

from kubo_sdk.builtin.haproxy_config import HaproxyConfig
from kubo_sdk.builtin.haproxy_ingress import HaproxyIngress
from kubo_sdk.builtin.hosts_dns import HostsDns
from kubo_sdk.ports.dns import Dns
from kubo_sdk.ports.ingress import Ingress
from kubo_sdk.testing.contracts.dns import DnsContract
from kubo_sdk.testing.contracts.ingress import IngressContract


class TestHostsDns(DnsContract):
    @pytest.fixture
    def dns(self) -> Dns:
        return HostsDns()

    @pytest.fixture
    def reconnected(self) -> Dns:
        return HostsDns()


class TestHaproxyIngress(IngressContract):
    @pytest.fixture
    def ingress(self) -> Ingress:
        return HaproxyIngress(HaproxyConfig())

    @pytest.fixture
    def reconnected(self) -> Ingress:
        return HaproxyIngress(HaproxyConfig())
