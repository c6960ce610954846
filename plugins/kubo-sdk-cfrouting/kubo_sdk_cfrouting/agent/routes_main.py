"""Where the service routes of a master start: ``agent.pyz routes SETTINGS``."""

from __future__ import annotations

import signal

from kubo_sdk_cfrouting.agent import settings as settings_file
from kubo_sdk_cfrouting.agent.routes_agent import Agent
from kubo_sdk_cfrouting.agent.routes_leave import leave, systemd_restarts
from kubo_sdk_cfrouting.agent.systemd import notify
from kubo_sdk_cfrouting.agent.trouble import RoutingError, say


def run(path: str) -> int:
    """The exit code; systemd starts it again whatever that is."""
    try:
        agent = Agent(settings_file.load(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        say(f"the settings {path} or a file they name cannot be used: {error}")
        return 1
    except RoutingError as error:
        say(str(error))
        return 1
    signal.signal(signal.SIGTERM, agent.stop)
    agent.start()
    # It is ready although Cloud Foundry may be away: whoever restarts the unit must not wait for that.
    notify("READY=1")
    agent.run()
    notify("STOPPING=1", "STATUS=stopping")
    leave(agent, systemd_restarts)
    return 0
