"""The machines behind a cloud's stand-in: SSH servers that know the keys of their user data, behind a bastion.

They understand nothing: whatever they are told to run has ended well at once.  The bastion listens on loopback, and
passes on to the private addresses of instances that run.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncssh
from attrs import define, field

from kubo_sdk.ssh import new_key_pair, public_key_of

USER = "bastion"


@define
class Fleet:
    """``key`` enters the bastion at ``port``, which proves itself by ``host_key``.

    ``is_dead``: no machine boots so far that it can be entered.  ``is_strange``: each shows a key of its own making.
    ``is_locked``: each lets in another key than the one of its user data.
    """

    ec2: Any
    key: str = ""
    host_key: str = ""
    port: int = 0
    is_dead: bool = False
    is_strange: bool = False
    is_locked: bool = False
    entered: list[str] = field(factory=list)

    def calm(self) -> None:
        """Machines boot as they should."""
        self.is_dead = self.is_strange = self.is_locked = False
        self.entered.clear()

    def instance_at(self, address: str) -> str:
        """The running instance with that private address; empty when there is none."""
        wanted = [{"Name": "private-ip-address", "Values": [address]}]
        for found in self.ec2.describe_instances(Filters=wanted)["Reservations"]:
            for each in found["Instances"]:
                if each["State"]["Name"] == "running":
                    return str(each["InstanceId"])
        return ""

    def told(self, instance: str) -> dict[str, Any]:
        """What the user data of the instance say."""
        found = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")
        text = base64.b64decode(found["UserData"]["Value"]).decode()
        config: dict[str, Any] = json.loads(text.removeprefix("#cloud-config\n"))
        return config


class Bastion(asyncssh.SSHServer):
    """Passes on to machines."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def connection_requested(self, dest_host: str, dest_port: int, *_origin: Any) -> Any:
        if self._fleet.is_dead:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "connection refused")

        async def enter(reader: Any, writer: Any) -> None:
            instance = await asyncio.to_thread(self._fleet.instance_at, dest_host)
            if not instance:
                writer.close()
                return
            given = await asyncio.to_thread(self._fleet.told, instance)
            await _serve(self._fleet, dest_host, given, reader, writer)

        return enter


async def _serve(fleet: Fleet, address: str, given: dict[str, Any], reader: Any, writer: Any) -> None:
    """One SSH server for one connection, as cloud-init would have set it up."""
    (account,) = given["users"]
    key = new_key_pair("")[0].reveal() if fleet.is_strange else given["ssh_keys"]["ed25519_private"]

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        marker = shlex.split(process.command or "")[-1].encode()
        process.stdout.write(marker)
        process.stderr.write(marker)
        if await process.stdin.readline():
            if not await asyncio.to_thread(fleet.instance_at, address):
                process.channel.get_connection().abort()
                return
            fleet.entered.append(address)
        process.exit(0)

    near, far = socket.socketpair()
    lines = new_key_pair("")[1] if fleet.is_locked else "\n".join(account["ssh_authorized_keys"])
    serving = asyncssh.run_server(
        far,
        server_host_keys=[asyncssh.import_private_key(key)],
        authorized_client_keys=asyncssh.import_authorized_keys(lines),
        process_factory=run,
        encoding=None,
    )
    inward, outward = await asyncio.open_connection(sock=near)
    copies = [asyncio.ensure_future(_copy(reader, outward)), asyncio.ensure_future(_copy(inward, writer))]
    with suppress(asyncssh.Error, OSError):
        # It comes back when somebody is logged in, and raises when nobody ever is.
        await serving
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    writer.close()
    outward.close()


async def _copy(source: Any, target: Any) -> None:
    try:
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    except (OSError, asyncssh.Error):
        return


@contextmanager
def fleet_of(ec2: Any) -> Iterator[Fleet]:
    """The machines of whatever *ec2* tells, while the block lasts."""
    private, public = new_key_pair("")
    own, _ = new_key_pair("")
    fleet = Fleet(ec2=ec2, key=private.reveal(), host_key=public_key_of(own))
    loop = asyncio.new_event_loop()

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_factory(fleet),
            server_host_keys=[asyncssh.import_private_key(own.reveal())],
            authorized_client_keys=asyncssh.import_authorized_keys(public),
            encoding=None,
        )

    async def stop(listener: Any) -> None:
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.wait([*others, asyncio.ensure_future(asyncio.sleep(0))])

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    fleet.port = listener.sockets[0].getsockname()[1]
    try:
        yield fleet
    finally:
        asyncio.run_coroutine_threadsafe(stop(listener), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _factory(fleet: Fleet) -> Callable[[], Bastion]:
    return lambda: Bastion(fleet)
