"""What a machine that answers names does when something is done to it."""

from __future__ import annotations

import signal
import sqlite3
import stat
from ipaddress import IPv4Address

import pytest
from attrs import evolve

from kubo_sdk.model.instance import Role

from .conftest import Names
from .machine import NamesMachine, full_disk


def test_a_fresh_server_answers_every_name_before_any_agent_runs(still: Names) -> None:
    machine = still.machine
    machine.start_server()
    machine.eventually(lambda: machine.ask(f"worker-2.{still.domain}"), [still.address("worker/2")])
    for instance in still.cluster.spec.instances():
        name, address = still.cluster.spec.hostname(instance), still.address(instance.id)
        assert machine.ask(name) == [address]
        assert machine.ask(IPv4Address(address).reverse_pointer, "PTR") == [f"{name}."]
    assert machine.ask(f"api.{still.domain}") == still.of(Role.PROXY)
    assert machine.ask(still.domain, "NS") == [f"proxy-0.{still.domain}.", f"proxy-1.{still.domain}."]


def test_what_is_not_there_is_an_answer_and_what_is_not_ours_is_refused_at_once(running: Names) -> None:
    assert running.machine.ask(f"nobody.{running.domain}") == ["NXDOMAIN"]
    assert running.machine.ask(f"worker-0.{running.domain}", "AAAA") == ["NOERROR"]
    assert running.machine.ask("example.com") == ["REFUSED"]


def test_a_killed_server_answers_again_with_the_same_names(running: Names) -> None:
    machine = running.machine
    (before,) = machine.pids("pdns_server")
    machine.kill("pdns_server")
    machine.eventually(lambda: machine.pids("pdns_server") not in ([], [before]), True)
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])


def test_a_server_that_hangs_is_ended_and_answers_again(running: Names) -> None:
    machine = running.machine
    (before,) = machine.pids("pdns_server")
    machine.kill("pdns_server", signal.SIGSTOP)
    machine.eventually(lambda: machine.pids("pdns_server") not in ([], [before]), True)
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])
    assert machine.says("runs and does not answer")


def test_names_are_answered_while_the_agent_is_dead_and_it_goes_on_afterwards(running: Names) -> None:
    machine = running.machine
    machine.stop("agent")
    machine.change(zone(running), name=f"worker-0.{running.domain}.", type="A", changetype="DELETE")
    assert machine.ask(f"worker-1.{running.domain}") == [running.address("worker/1")]
    machine.start_agent()
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])


def test_a_server_started_with_an_empty_database_answers_everything(running: Names) -> None:
    machine = running.machine
    machine.stop("server")
    for file in machine.disk.iterdir():
        file.unlink()
    machine.start_server()
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])
    machine.eventually(lambda: machine.ask(f"master-1.{running.domain}"), [running.address("master/1")])


def test_a_broken_database_is_put_aside_and_made_anew(running: Names) -> None:
    machine = running.machine
    machine.stop("server")
    for file in machine.disk.iterdir():
        file.write_bytes(b"no database at all" * 1000)
    machine.start_server()
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])
    assert (machine.disk / "pdns.sqlite3.broken").exists()


def test_a_zone_that_is_deleted_behind_our_back_is_made_again(running: Names) -> None:
    machine = running.machine
    machine.api("DELETE", f"/zones/{zone(running)}")
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])
    machine.eventually(
        lambda: machine.ask(running.domain, "NS"), [f"proxy-0.{running.domain}.", f"proxy-1.{running.domain}."]
    )


@pytest.mark.parametrize("how", ["api", "database"])
def test_a_record_changed_or_deleted_behind_our_back_is_put_right(running: Names, how: str) -> None:
    machine, name = running.machine, f"worker-0.{running.domain}"
    if how == "api":
        wrong = [{"content": "192.0.2.1", "disabled": False}]
        machine.change(
            zone(running), name=f"{name}.", type="A", ttl=7, changetype="REPLACE", records=wrong, comments=[]
        )
        machine.change(zone(running), name=f"worker-1.{running.domain}.", type="A", changetype="DELETE")
    else:
        with sqlite3.connect(machine.disk / "pdns.sqlite3", timeout=30) as database:
            database.execute("UPDATE records SET content = '192.0.2.1' WHERE name = ?", (name,))
            database.execute("DELETE FROM records WHERE name = ?", (f"worker-1.{running.domain}",))
    machine.eventually(lambda: machine.says("put right"), True)
    machine.eventually(lambda: machine.ask(name), [running.address("worker/0")])
    machine.eventually(lambda: machine.ask(f"worker-1.{running.domain}"), [running.address("worker/1")])


def test_an_alias_that_takes_the_name_of_an_instance_goes(running: Names) -> None:
    machine, name = running.machine, f"worker-0.{running.domain}."
    machine.stop("agent")
    alias = [{"content": "elsewhere.example.com.", "disabled": False}]
    machine.change(zone(running), name=name, type="A", changetype="DELETE")
    machine.change(zone(running), name=name, type="CNAME", ttl=7, changetype="REPLACE", records=alias)
    machine.start_agent()
    machine.eventually(lambda: machine.ask(name), [running.address("worker/0")])


def test_records_that_others_made_in_the_zone_stay_as_they_are(running: Names) -> None:
    machine = running.machine
    text = [{"content": '"of somebody else"', "disabled": False}]
    for name in (f"other.{running.domain}.", f"worker-0.{running.domain}."):
        machine.change(zone(running), name=name, type="TXT", ttl=7, changetype="REPLACE", records=text)
    machine.change(zone(running), name=f"worker-1.{running.domain}.", type="A", changetype="DELETE")
    machine.eventually(lambda: machine.ask(f"worker-1.{running.domain}"), [running.address("worker/1")])
    for name in (f"other.{running.domain}", f"worker-0.{running.domain}"):
        assert machine.ask(name, "TXT") == ['"of somebody else"']


def test_a_machine_that_goes_or_moves_is_followed_without_starting_anything(running: Names) -> None:
    machine = running.machine
    pids = machine.pids("pdns_server"), machine.pids("keep")
    moved = running.cluster.with_address("worker/1", "127.77.1.5")
    gone = {name: address for name, address in moved.addresses.items() if name != "worker/2"}
    machine.write(evolve(moved.context(running.context().instance), addresses=gone))
    machine.eventually(lambda: machine.ask(f"worker-1.{running.domain}"), ["127.77.1.5"])
    machine.eventually(lambda: machine.ask(f"worker-2.{running.domain}"), ["NXDOMAIN"])
    machine.eventually(lambda: machine.ask("5.1.77.127.in-addr.arpa", "PTR"), [f"worker-1.{running.domain}."])
    machine.write(running.context())
    machine.eventually(lambda: machine.ask("5.1.77.127.in-addr.arpa", "PTR"), ["REFUSED"])
    assert pids == (machine.pids("pdns_server"), machine.pids("keep"))


def test_a_full_disk_keeps_no_name_from_being_served_or_changed(still: Names) -> None:
    machine = still.machine
    with full_disk(machine.disk) as fill:
        try:
            _fill_and_empty(still, machine, fill)
        finally:
            machine.close()


def _fill_and_empty(still: Names, machine: NamesMachine, fill: object) -> None:
    assert callable(fill)
    machine.start_server()
    machine.start_agent()
    machine.eventually(lambda: machine.says("serves "), True)
    text = [{"content": '"of somebody else"', "disabled": False}]
    machine.change(zone(still), name=f"other.{still.domain}.", type="TXT", ttl=7, changetype="REPLACE", records=text)
    fill()
    assert machine.ask(f"worker-1.{still.domain}") == [still.address("worker/1")]
    moved = still.cluster.with_address("worker/1", "127.66.0.99")
    machine.write(moved.context(still.context().instance))
    machine.eventually(lambda: machine.ask(f"worker-1.{still.domain}"), ["127.66.0.99"])
    assert machine.says("takes no more; the names go to memory")
    machine.eventually(lambda: machine.says("served from memory, because"), True)
    assert machine.ask(f"other.{still.domain}", "TXT") == ['"of somebody else"']
    (machine.disk / "ballast").unlink()
    machine.eventually(lambda: machine.says("takes writes again"), True)
    machine.eventually((machine.run / "pdns.sqlite3").exists, False)
    machine.eventually(lambda: machine.ask(f"worker-1.{still.domain}"), ["127.66.0.99"])
    assert machine.ask(f"other.{still.domain}", "TXT") == ['"of somebody else"']


def test_a_server_that_starts_on_a_full_disk_serves_all_names(still: Names) -> None:
    machine = still.machine
    with full_disk(machine.disk) as fill:
        try:
            fill()
            machine.start_server()
            machine.eventually(lambda: machine.ask(f"worker-0.{still.domain}"), [still.address("worker/0")])
            assert machine.says("the names are served from memory")
        finally:
            machine.close()


def test_the_key_of_the_api_is_new_at_each_start_and_read_by_its_owner_alone(running: Names) -> None:
    machine = running.machine
    before = (machine.run / "api-key").read_text()
    assert len(before) >= 40
    for file in (machine.run / "api-key", machine.run / "conf.d" / "local.conf"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "127.0.0.1:10953" in machine.inside("ss", "-ltnH")
    assert ":10953" not in machine.inside("ss", "-ltnH").replace("127.0.0.1:10953", "")
    machine.kill("pdns_server")
    machine.eventually(lambda: (machine.run / "api-key").read_text() != before, True)
    machine.eventually(lambda: machine.ask(f"worker-0.{running.domain}"), [running.address("worker/0")])
    assert before not in machine.log.read_text()


def zone(names: Names) -> str:
    return f"{names.domain}."
