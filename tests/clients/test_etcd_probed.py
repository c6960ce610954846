"""What real etcd members tell a probe: their own health, everybody's alarms, and all of it without a quorum."""

from __future__ import annotations

from kubo_sdk.clients.etcd_gateway import EtcdGateway
from kubo_sdk.engine.retry import wait_until
from kubo_sdk.probe.members import member_views
from kubo_sdk.probe.questions import ask_member


def ask_all(etcd):
    return [ask_member(etcd.client(address), address[0], None) for address in etcd.endpoints]


def test_every_member_tells_its_health_and_who_leads(etcd) -> None:
    views = member_views(ask_all(etcd))
    assert views is not None
    assert {view.name for view in views} == set(etcd.hosts)
    assert all(view.healthy and view.alarms == () and not view.learner for view in views)
    assert sum(view.leader for view in views) == 1


def test_an_alarm_is_told_by_every_member_with_the_id_of_its_own(etcd) -> None:
    host, client = etcd.hosts[1], etcd.client()
    member = client.status(host).member
    alarm = {"memberID": str(member), "alarm": "NOSPACE"}
    call = EtcdGateway(etcd.https()).call
    assert client.alarms() == ()
    call("maintenance/alarm", {"action": "ACTIVATE", **alarm}, what="raising an alarm")
    try:
        assert client.alarms() == ((member, "NOSPACE"),)
        for answer in ask_all(etcd):
            assert answer.alarms == ((member, "NOSPACE"),)
            assert not answer.healthy
        views = member_views(ask_all(etcd))
        assert views is not None
        assert {view.name: view.alarms for view in views if view.alarms} == {host: ("NOSPACE",)}
    finally:
        call("maintenance/alarm", {"action": "DEACTIVATE", **alarm}, what="ending an alarm")
    assert all(answer.healthy and not answer.alarms for answer in ask_all(etcd))


def test_a_member_that_lost_the_others_still_tells_of_itself(etcd) -> None:
    first, second, third = etcd.hosts
    address = (third, 2379)
    try:
        etcd.kill(first)
        etcd.kill(second)

        def noticed():
            answer = ask_member(etcd.client(address), third, None)
            return answer if answer.status.leader == 0 else None

        answer = wait_until(noticed, what="the last member noticing", timeout=15)
        assert not answer.healthy
        assert {member.name for member in answer.members} == set(etcd.hosts)
        views = member_views([answer])
        assert views is not None
        assert not any(view.healthy or view.leader for view in views)
    finally:
        etcd.start(*(host for host in (first, second) if not etcd.is_running(host)))


def test_without_any_answer_there_is_no_list() -> None:
    assert member_views([]) is None
