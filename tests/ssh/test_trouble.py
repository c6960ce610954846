"""What may go wrong on the way onto a machine, and which error it is."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kubo_sdk.errors import AuthError, KuboError, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk.ssh import SshConnections, SshHost, new_key_pair
from kubo_sdk.testing.contracts.contract import assert_is_final, assert_is_one_sentence, error_of

from .machines import Machine, eventually

PASSWORD = b"hunter2-on-standard-input"


def refused(connections: SshConnections, host: SshHost, kind: type[ProviderError] = AuthError) -> str:
    """The sentence with which *host* cannot be entered; it names the machine, and says whether to try again."""
    error = error_of(lambda: connections.shell(host).run(["true"]), kind)
    assert_is_one_sentence(error)
    assert host.title in str(error)
    if kind is Unavailable:
        assert error.retry_after is not None
    else:
        assert_is_final(error)
    return str(error)


class TestNotEntered:
    def test_a_machine_with_another_host_key(self, machine: Machine, connections: SshConnections) -> None:
        other = new_key_pair("another")[1]
        assert "another host key" in refused(connections, machine.host(host_keys=(other,), name="worker/0"))

    def test_a_machine_with_a_host_key_of_another_kind(self, machine: Machine, connections: SshConnections) -> None:
        ecdsa = (
            ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        )
        assert "another host key" in refused(connections, machine.host(host_keys=(ecdsa.decode(),)))

    def test_one_of_several_pinned_keys_is_enough(self, machine: Machine, connections: SshConnections) -> None:
        pinned = (new_key_pair("another")[1], machine.keys.host_line)
        assert connections.shell(machine.host(host_keys=pinned)).run(["true"]).exit_code == 0

    def test_a_machine_with_several_keys_is_known_by_any_of_them(
        self, new_machine: Callable[..., Machine], connections: SshConnections
    ) -> None:
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        machine = new_machine(options="HostKey /etc/ssh/rsa_key\n", files={"etc/ssh/rsa_key": private})
        for pinned in (public, machine.keys.host_line):
            assert connections.shell(machine.host(host_keys=(pinned,))).run(["true"]).exit_code == 0

    def test_a_machine_of_which_no_host_key_is_known(self, machine: Machine, connections: SshConnections) -> None:
        assert "pin" in refused(connections, machine.host(host_keys=()))

    def test_a_jump_host_with_another_host_key(self, machine: Machine, connections: SshConnections) -> None:
        jump = machine.host("operator", host_keys=(new_key_pair("another")[1],), name="the bastion")
        error = error_of(lambda: connections.shell(evolve(machine.host(), jump=jump)).run(["true"]), AuthError)
        assert "the bastion" in str(error)

    def test_a_machine_that_refuses_the_key(self, machine: Machine, connections: SshConnections) -> None:
        assert "authorized_keys" in refused(connections, machine.host(key=new_key_pair("a stranger's")[0]))

    def test_a_key_that_is_none(self, machine: Machine, connections: SshConnections) -> None:
        broken = Secret("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n")
        assert "hunter2" not in refused(connections, machine.host(key=broken))

    def test_sudo_that_asks_for_a_password(self, machine: Machine, connections: SshConnections) -> None:
        assert "password is required" in refused(connections, machine.host("stranger"))

    def test_a_user_whose_login_shell_runs_nothing(self, machine: Machine, connections: SshConnections) -> None:
        assert "not available" in refused(connections, machine.host("outsider"))

    def test_a_machine_where_nobody_listens(self, machine: Machine, connections: SshConnections) -> None:
        assert "refused" in refused(connections, machine.host(host="127.0.0.99"), Unavailable).lower()

    def test_an_address_without_a_route(self, machine: Machine, connections: SshConnections) -> None:
        assert "unreachable" in refused(connections, machine.host(host="10.9.8.7"), Unavailable).lower()

    def test_a_jump_host_that_does_not_get_through(self, machine: Machine, connections: SshConnections) -> None:
        behind = machine.host(host="127.0.0.99", jump=machine.host())
        assert "jump host" in refused(connections, behind, Unavailable)

    def test_a_name_that_does_not_resolve(self, machine: Machine, connections: SshConnections) -> None:
        refused(connections, machine.host(host="nobody.invalid"), Unavailable)

    def test_a_server_that_never_answers(self, machine: Machine) -> None:
        """Its port is open, as with a machine that hangs: the kernel accepts and nobody speaks."""
        patient = SshConnections(connect_timeout=1.0)
        listener = subprocess.Popen(["/usr/bin/python3", "-c", SILENT], stdout=subprocess.PIPE)
        try:
            assert listener.stdout is not None
            port = int(listener.stdout.readline())
            assert "within 1 s" in refused(patient, machine.host(port=port), Unavailable)
        finally:
            patient.close()
            listener.kill()
            listener.wait()


SILENT = """\
import socket, time
server = socket.create_server(("127.0.0.10", 0))
print(server.getsockname()[1], flush=True)
time.sleep(600)
"""


class TestCommandsAreKilled:
    @pytest.mark.parametrize("user", ["root", "operator"])
    def test_when_their_time_is_over(self, machine: Machine, connections: SshConnections, user: str) -> None:
        shell = connections.shell(machine.host(user))
        error_of(lambda: shell.run(["sleep", "1001"], timeout=0.5), Unavailable)
        machine.await_end_of("sleep", "1001")

    @pytest.mark.parametrize("user", ["root", "operator"])
    def test_with_the_children_they_have(self, machine: Machine, connections: SshConnections, user: str) -> None:
        shell = connections.shell(machine.host(user))
        error_of(lambda: shell.run(["sh", "-c", "sleep 1002 & sleep 1003"], timeout=0.5), Unavailable)
        machine.await_end_of("sleep", "1002")
        machine.await_end_of("sleep", "1003")

    def test_also_when_they_never_read_the_input_they_were_sent(
        self, machine: Machine, connections: SshConnections
    ) -> None:
        shell = connections.shell(machine.host())
        error_of(lambda: shell.run(["sleep", "1004"], stdin=bytes(16 << 20), timeout=1.5), Unavailable)
        machine.await_end_of("sleep", "1004")

    @pytest.mark.parametrize("user", ["root", "operator"])
    def test_when_the_connection_breaks(self, new_machine: Callable[..., Machine], user: str) -> None:
        machine, connections = new_machine(), SshConnections()
        shell = connections.shell(machine.host(user))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: error_of(lambda: shell.run(["sleep", "1005"]), Unavailable))
            machine.await_run_of("sleep", "1005")
            for process in machine.connections():
                os.kill(process, signal.SIGKILL)
            assert "lost" in str(running.result())
        machine.await_end_of("sleep", "1005")
        assert shell.run(["true"]).exit_code == 0
        connections.close()

    def test_when_the_caller_closes_everything(self, machine: Machine) -> None:
        connections = SshConnections()
        shell = connections.shell(machine.host("operator"))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: error_of(lambda: shell.run(["sleep", "1006"]), Unavailable))
            machine.await_run_of("sleep", "1006")
            connections.close()
            assert "lost" in str(running.result())
        machine.await_end_of("sleep", "1006")

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_when_the_caller_is_killed_or_interrupted(self, machine: Machine, how: signal.Signals) -> None:
        script = f"""
        from kubo_sdk.ssh import SshConnections, SshHost
        from kubo_sdk.model.secret import Secret
        host = SshHost(host={machine.address!r}, key=Secret({machine.keys.user.reveal()!r}), user="operator",
                       host_keys=({machine.keys.host_line!r},))
        SshConnections().shell(host).run(["sleep", "1007"], timeout=600)
        """
        caller = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL)
        machine.await_run_of("sleep", "1007")
        caller.send_signal(how)
        caller.wait(30)
        machine.await_end_of("sleep", "1007")


class TestLostInTheMiddle:
    def test_a_command_never_takes_a_lost_connection_for_the_end_of_its_input(
        self, new_machine: Callable[..., Machine], connections: SshConnections
    ) -> None:
        machine = new_machine()
        shell = connections.shell(machine.host())
        # The first megabyte is read, then the command waits; the rest of what was sent is more than any buffer holds.
        script = "head -c 1048576 >~/begun; while [ ! -e ~/go ]; do sleep 0.05; done; cat >~/end; >~/whole"
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(
                lambda: error_of(lambda: shell.run(["sh", "-c", script], stdin=bytes(32 << 20)), Unavailable)
            )
            disk = machine.home / "root"
            eventually("the first megabyte", (disk / "begun").exists)
            for process in machine.connections():
                os.kill(process, signal.SIGKILL)
            running.result()
            (disk / "go").touch()
            machine.await_end_of("sh", "-c", script)
            assert not (disk / "whole").exists()

    def test_a_machine_that_went_down_and_came_back_is_entered_again(
        self, new_machine: Callable[..., Machine], connections: SshConnections
    ) -> None:
        machine = new_machine()
        shell = connections.shell(machine.host())
        assert shell.run(["echo", "1"]).stdout == b"1\n"
        machine.stop()
        error_of(lambda: shell.run(["true"]), Unavailable)
        machine.start()
        assert shell.run(["echo", "2"]).stdout == b"2\n"

    def test_a_silent_connection_is_given_up_and_its_command_killed_in_time(
        self, new_machine: Callable[..., Machine]
    ) -> None:
        """Packets of this one machine are dropped, both ways and without a word: neither side is told."""
        machine, connections = new_machine(), SshConnections(connect_timeout=2.0)
        shell = connections.shell(machine.host("operator"))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: error_of(lambda: shell.run(["sleep", "1008"], timeout=20), Unavailable))
            machine.await_run_of("sleep", "1008")
            nft = f"add table ip cut; add chain ip cut in {{ type filter hook input priority 0; }}; add rule ip cut in \
                ip daddr {machine.address} drop; add rule ip cut in ip saddr {machine.address} drop"
            subprocess.run(["nft", nft], check=True)
            try:
                assert "lost" in str(running.result(timeout=19))
                machine.await_end_of("sleep", "1008", timeout=60)
                assert "within" in str(error_of(lambda: shell.run(["true"]), Unavailable))
            finally:
                subprocess.run(["nft", "delete table ip cut"], check=True)
        assert shell.run(["true"]).exit_code == 0
        connections.close()


class TestSecrets:
    def test_what_goes_through_standard_input_is_on_no_command_line_and_in_no_log(
        self, machine: Machine, connections: SshConnections, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        shell = connections.shell(machine.host("operator"))
        shell.run(["true"])
        everything = "cat >/dev/null; for f in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\\0' ' ' <$f; done"
        seen = shell.run(["sh", "-c", everything], stdin=PASSWORD).stdout
        assert b"cat >/dev/null" in seen
        secret_line = machine.keys.user.reveal().splitlines()[2]
        for said in (seen.decode(errors="replace"), caplog.text, repr(machine.host()), repr(shell)):
            assert PASSWORD.decode() not in said
            assert secret_line not in said

    def test_and_in_no_file_on_either_side(self, machine: Machine, tmp_path: Path) -> None:
        """The caller has a temporary directory and a home of its own, where every file would be seen."""
        script = f"""
        import sys
        from kubo_sdk.ssh import SshConnections, SshHost
        from kubo_sdk.model.secret import Secret
        host = SshHost(host={machine.address!r}, key=Secret(sys.stdin.read()), user="operator",
                       host_keys=({machine.keys.host_line!r},))
        shell = SshConnections().shell(host)
        shell.run(["sh", "-c", "cat >/run/passed"], stdin={PASSWORD!r})
        shell.run(["sh", "-c", "cat >/dev/null; exec sleep 0"], stdin={PASSWORD!r} * 100_000)
        """
        (tmp_path / "temp").mkdir()
        (tmp_path / "home").mkdir()
        own = {"TMPDIR": str(tmp_path / "temp"), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
        key = machine.keys.user.reveal()
        caller = [sys.executable, "-c", textwrap.dedent(script)]
        subprocess.run(caller, input=key, text=True, check=True, env={**os.environ, **own})
        assert not [*(tmp_path / "temp").rglob("*"), *(tmp_path / "home").rglob("*")]
        places = ("run", "root", "home", "etc", "var/lib", "dev/shm", "var/tmp")
        search = ["grep", "-rlFs", "-D", "skip", PASSWORD.decode(), *places]
        found = subprocess.run(search, cwd=machine.root(), capture_output=True, text=True, check=False)
        assert found.stdout.splitlines() == ["run/passed"]


def test_without_asyncssh_one_sentence_tells_what_to_install() -> None:
    script = """
    import sys
    sys.modules["asyncssh"] = None
    import kubo_sdk.cluster
    from kubo_sdk.ssh import SshConnections, SshHost, new_key_pair, public_key_of
    private, public = new_key_pair("somebody")
    assert public.startswith(public_key_of(private))
    host = SshHost(host="10.0.0.1", key=private, host_keys=(public,))
    connections = SshConnections()
    shell = connections.shell(host)
    for act in (lambda: shell.run(["true"]), lambda: shell.interact(["true"])):
        try:
            act()
        except Exception as error:
            print(type(error).__name__, error)
    connections.forget(host)
    connections.close()
    """
    told = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    sentence = "HostError reaching machines over SSH needs asyncssh; run: pip install 'kubo-sdk[ssh]'"
    assert told.stdout.splitlines() == [sentence] * 2


def test_callers_that_wait_for_one_machine_share_its_error(machine: Machine, connections: SshConnections) -> None:
    shell = connections.shell(machine.host(host="127.0.0.99"))
    gate = threading.Barrier(16)

    def run(_: int) -> KuboError:
        gate.wait()
        return error_of(lambda: shell.run(["true"]), Unavailable)

    with ThreadPoolExecutor(16) as pool:
        errors = list(pool.map(run, range(16)))
    assert len({id(error) for error in errors}) == 16
