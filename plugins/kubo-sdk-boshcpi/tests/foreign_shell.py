"""The way onto the machines of `foreign_cpi.py`: knows `true`, and notes what is mounted instead of mounting it."""

import json
import shlex
import sys
from pathlib import Path

root, cid, line = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
path = root / "vms" / f"{cid}.json"
if not path.exists():
    sys.stderr.write("ssh: connect to host port 22: No route to host\n")
    sys.exit(255)
command = shlex.split(line)
if (root / "unreachable").exists():
    (root / "unreachable").unlink()
    sys.stderr.write("ssh: connect to host port 22: Connection refused\n")
    sys.exit(255)
if command != ["true"]:
    with (root / "commands").open("a") as notes:
        notes.write(json.dumps([cid, *command]) + "\n")
