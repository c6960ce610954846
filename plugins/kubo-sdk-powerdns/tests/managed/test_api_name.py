"""``api.<domain>`` follows those through whom a healthy API server is reached."""

from __future__ import annotations

import signal
from pathlib import Path

from kubo_sdk.model.instance import Role

from .conftest import Names


def api(names: Names) -> list[str]:
    return names.machine.ask(f"api.{names.domain}")


def test_a_proxy_that_hangs_leaves_and_comes_back(api_servers: dict[str, str], running: Names) -> None:
    machine = running.machine
    proxies = running.of(Role.PROXY)
    machine.eventually(lambda: api(running), proxies)
    machine.tell(api_servers["proxy/0"], signal.SIGSTOP)
    machine.eventually(lambda: api(running), [running.address("proxy/1")])
    machine.tell(api_servers["proxy/0"], signal.SIGCONT)
    machine.eventually(lambda: api(running), proxies)


def test_a_proxy_that_dies_or_has_no_ready_api_server_behind_it_leaves(
    api_servers: dict[str, str], running: Names, tmp_path: Path
) -> None:
    machine = running.machine
    machine.eventually(lambda: api(running), running.of(Role.PROXY))
    machine.stop(api_servers["proxy/1"])
    machine.eventually(lambda: api(running), [running.address("proxy/0")])
    refusal = tmp_path / f"api.crt.{running.address('proxy/0')}.not-ready"
    refusal.touch()
    machine.eventually(lambda: api(running), running.of(Role.MASTER))
    refusal.unlink()
    machine.eventually(lambda: api(running), [running.address("proxy/0")])


def test_without_any_proxy_the_name_leads_to_the_masters_that_are_well(
    api_servers: dict[str, str], running: Names
) -> None:
    machine = running.machine
    for proxy in ("proxy/0", "proxy/1"):
        machine.stop(api_servers[proxy])
    machine.eventually(lambda: api(running), running.of(Role.MASTER))
    machine.tell(api_servers["master/0"], signal.SIGSTOP)
    machine.eventually(lambda: api(running), [running.address("master/1")])
    machine.tell(api_servers["master/0"], signal.SIGCONT)
    machine.eventually(lambda: api(running), running.of(Role.MASTER))
    machine.stop(api_servers["master/1"])
    machine.eventually(lambda: api(running), [running.address("master/0")])


def test_while_nobody_is_well_the_name_leads_to_all_proxies(running: Names) -> None:
    running.machine.eventually(lambda: api(running), running.of(Role.PROXY))


def test_the_name_keeps_its_answer_while_the_agent_is_new(api_servers: dict[str, str], running: Names) -> None:
    machine = running.machine
    machine.stop(api_servers["proxy/1"])
    machine.eventually(lambda: api(running), [running.address("proxy/0")])
    machine.kill("keep")
    machine.eventually(lambda: len(machine.pids("keep")), 1)
    for _ in range(40):
        assert api(running) == [running.address("proxy/0")]
