"""Real clusters that grow and shrink, and lose what only they had: data is kept, and nothing is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .residue import residue
from .site import Site

pytestmark = pytest.mark.e2e

LOSE = """
import sys
from pathlib import Path
from kubo_sdk import Cluster
cluster = Cluster.load(sys.argv[1], state_dir=Path(sys.argv[2]))
cpi = cluster.providers.cpi
for vm in cpi.list_vms(cluster.spec.id):
    if vm.instance in sys.argv[3:]:
        cpi.delete_vm(vm.id)
for disk in cpi.list_disks(cluster.spec.id):
    if disk.instance in sys.argv[3:]:
        cpi.delete_disk(disk.id)
"""
