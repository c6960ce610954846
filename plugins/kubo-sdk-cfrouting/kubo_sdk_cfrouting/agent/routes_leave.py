"""What a leader does when it is stopped: hands over if anybody leads after it, else takes the routes back.

So the last master that is stopped leaves no route behind, as when the cluster is deleted; and no other stop ends one.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from kubo_sdk_cfrouting.agent.routes_agent import Agent
from kubo_sdk_cfrouting.agent.routes_kubernetes import ApiError
from kubo_sdk_cfrouting.agent.trouble import RoutingError, say

UNIT = "kubo-cf-routes.service"
LOOK_SECONDS = 0.2
FLUSH_SECONDS = 3.0


def leave(agent: Agent, restarting: Callable[[], bool]) -> None:
    """After `Agent.run` ended."""
    if not agent.election.release():
        return
    if restarting():
        say("this unit is started again at once; the routes stay")
        return
    successor = find_successor(agent)
    if successor is not None:
        say(f"{successor} leads now")
        return
    say("nobody leads after this master; the routes are taken back")
    _withdraw(agent)


def find_successor(agent: Agent) -> str | None:
    """Who leads now.  Also somebody where the API does not tell."""
    deadline = time.monotonic() + agent.chosen.successor
    while True:
        try:
            found = agent.election.successor()
        except ApiError as error:
            found = ""
            if time.monotonic() >= deadline:
                return f"perhaps another master, which cannot be known ({error}),"
        if found:
            return found
        if time.monotonic() >= deadline:
            return None
        time.sleep(LOOK_SECONDS)


def _withdraw(agent: Agent) -> None:
    if agent.http is not None:
        agent.http.routes.withdraw(agent.http_routes())
        agent.http.client.wake()
    try:
        say(f"{agent.tcp.withdraw()} TCP routes are taken back")
    except RoutingError as error:
        say(f"the TCP routes are not taken back, they end by themselves: {error}")
    if agent.http is not None:
        deadline = time.monotonic() + FLUSH_SECONDS
        while not agent.http.routes.idle and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        agent.http.client.flush(FLUSH_SECONDS)


def systemd_restarts() -> bool:
    """Whether the unit is only stopped to be started again, as far as systemd tells."""
    command = ["systemctl", "list-jobs", "--no-legend", "--plain", UNIT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(words[1:3] == [UNIT, "restart"] for words in map(str.split, done.stdout.splitlines()))
