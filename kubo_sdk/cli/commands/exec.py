"""``kubo exec``: one command on an instance.  Ends with that command's exit code."""

from __future__ import annotations

import argparse

from kubo_sdk.cli.output import print_json
from kubo_sdk.cli.session import open_cluster
from kubo_sdk.errors import ConfigError

JSON_PATIENCE = 3600.0


def run(arguments: argparse.Namespace) -> int:
    program = [*arguments.program, *arguments.passed_on]
    if not program:
        raise ConfigError([f"exec needs a command; for example: kubo exec {arguments.instance} -- uptime"])
    shell = open_cluster(arguments).shell(arguments.instance)
    if not arguments.json:
        return shell.interact(program)
    outcome = shell.run(program, timeout=JSON_PATIENCE)
    texts = {"stdout": outcome.stdout.decode(errors="replace"), "stderr": outcome.stderr.decode(errors="replace")}
    print_json({"instance": arguments.instance, "exit_code": outcome.exit_code, **texts})
    return outcome.exit_code
