"""The registrar, run as on a machine: registered while its API server is ready, and at no other time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from .registered_master import OWNER, PORT, Master
from .standin.site import Site


@pytest.fixture
def master(site: Site, tmp_path: Path) -> Iterator[Master]:
    """A master whose agent does not run yet."""
    made = Master(tmp_path, site)
    yield made
    made.close()


def foreign(site: Site, backend: str = "10.9.9.9", owner: str = "somebody") -> None:
    site.api.save(
        {
            "router_group_guid": site.group,
            "port": PORT,
            "backend_ip": backend,
            "backend_port": 8443,
            "instance_id": owner,
        }
    )


def test_a_ready_master_is_registered_and_taken_back_by_exactly_its_mapping(site: Site, master: Master) -> None:
    master.start()
    master.wait_registered()
    (route,) = master.routes()
    assert (route["port"], route["backend_ip"], route["backend_port"]) == (PORT, "127.0.0.1", master.server.port)
    assert (route["instance_id"], route["ttl"]) == (f"{OWNER}:master/0", 60)
    master.wait_state("registered at port 1030 of default-tcp")
    master.stop()
    assert site.api.routes() == []
    assert master.process is not None
    assert master.process.returncode == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((500, "[+]ping ok\n[-]etcd failed: reason withheld\n"), "not ready: etcd"),
        ((500, "[+]ping ok\n[-]shutdown failed: reason withheld\n"), "not ready: shutdown"),
        ((401, "Unauthorized"), "not ready: HTTP 401"),
    ],
)
def test_a_master_that_says_it_is_not_ready_leaves_and_comes_back(
    master: Master, answer: tuple[int, str], told: str
) -> None:
    master.start()
    master.wait_registered()
    master.server.answer = answer
    master.wait_gone()
    master.wait_state(told)
    master.server.answer = (200, "ok")
    master.wait_registered()


def test_a_master_that_hangs_leaves(master: Master) -> None:
    master.start()
    master.wait_registered()
    master.server.hang()
    master.wait_gone()
    master.wait_state("the API server does not answer")
    master.server.going_on.set()
    master.wait_registered()


def test_a_master_whose_server_is_gone_leaves_and_one_that_never_was_ready_never_comes(
    site: Site, master: Master
) -> None:
    master.server.stop()
    master.start()
    master.wait_state("the API server does not answer")
    assert site.api.routes() == []
    master.server.start()
    master.wait_registered()
    master.server.stop()
    master.wait_gone()


def test_a_server_with_a_certificate_of_somebody_else_is_not_ours(site: Site, master: Master) -> None:
    stranger = site.authority.pem
    master.server.ca.write_text(stranger)
    master.start()
    master.wait_state("certificate verify failed")
    assert site.api.routes() == []


def test_it_renews_long_before_the_route_ends(site: Site, tmp_path: Path) -> None:
    master = Master(tmp_path, site, ttl=9)
    try:
        master.start()
        master.wait(lambda: site.api.calls["POST /routing/v1/tcp_routes/create"] >= 4, "it renews")
        upserts = [at for at, what, _ in site.api.history if what == "Upsert"]
        assert all(later - earlier < 9 * 0.67 for earlier, later in pairwise(upserts))
        assert all(what == "Upsert" for _, what, _ in site.api.history)
    finally:
        master.close()


def test_it_takes_what_ttl_the_server_takes(site: Site, tmp_path: Path) -> None:
    site.api.max_ttl = 20
    master = Master(tmp_path, site, ttl=90)
    try:
        master.start()
        master.wait_registered()
        assert master.routes()[0]["ttl"] == 20
        assert "takes a ttl of 20 seconds at most, so 90 becomes 20" in master.log()
    finally:
        master.close()


def test_an_outage_of_the_routing_api_and_of_the_uaa_ends_with_the_route_there(site: Site, master: Master) -> None:
    site.stop_api()
    site.uaa_server.stop()
    master.start()
    master.wait_state("does not answer")
    site.start_api()
    site.uaa_server.start()
    master.wait_registered()
    assert "can register this master again" in master.log()


def test_a_master_that_fails_while_the_routing_api_is_away_leaves_as_soon_as_it_is_back(
    site: Site, master: Master
) -> None:
    master.start()
    master.wait_registered()
    site.stop_api()
    master.server.stop()
    master.wait_state("! still registered")
    site.start_api()
    master.wait_gone()


def test_a_missing_scope_is_told_and_is_no_loop_of_logins(site: Site, master: Master) -> None:
    client = site.uaa.clients["kubo"]
    client.scopes = client.scopes[:2]
    master.start()
    master.wait_state("its authorities lack routing.routes.write; add them in the UAA")
    time.sleep(3)
    assert site.uaa.logins["kubo"] == 1
    assert site.api.calls["POST /routing/v1/tcp_routes/create"] <= 4


def test_a_wrong_secret_is_told_and_read_again(site: Site, tmp_path: Path) -> None:
    good = site.secret_file.read_text()
    site.secret_file.write_text("wrong\n")
    master = Master(tmp_path, site, ttl=9)
    try:
        master.start()
        master.wait_state("refuses the client kubo: Bad credentials")
        assert site.uaa.logins["kubo"] <= 2
        site.secret_file.write_text(good)
        master.wait_registered()
    finally:
        master.close()


def test_a_port_that_somebody_else_has_is_left_to_them(site: Site, master: Master) -> None:
    foreign(site)
    master.start()
    master.wait_state("port 1030 of the router group default-tcp leads to 10.9.9.9:8443 of 'somebody' already")
    assert master.routes() == []


def test_what_a_former_machine_of_the_same_instance_left_goes(site: Site, master: Master) -> None:
    foreign(site, backend="10.9.9.8", owner=f"{OWNER}:master/0")
    foreign(site, backend="10.9.9.7", owner=f"{OWNER}:master/1")
    master.start()
    master.wait(
        lambda: {route["backend_ip"] for route in site.api.routes()} == {"127.0.0.1", "10.9.9.7"},
        "its own former route goes, and the other master's stays",
    )


def test_nothing_secret_is_told(site: Site, master: Master) -> None:
    master.start()
    master.wait_registered()
    master.stop()
    secret = site.secret_file.read_text().strip()
    assert secret not in master.log()
    assert not any(secret in state for state in master.states)
