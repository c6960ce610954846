"""What an author might write into two of the skeletons: names in a file, and machines as directories with busybox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from textwrap import dedent, indent

from attrs import frozen


@frozen(kw_only=True)
class Filled:
    """Texts by the marked function they replace, and what these need besides: imports and methods."""

    imports: str
    bodies: Mapping[str, str]
    methods: str = ""

    def into(self, skeleton: str) -> str:
        """The module with everything filled in."""

        def body(mark: re.Match[str]) -> str:
            return indent(dedent(self.bodies[mark[1]]).strip(), " " * 8) + "\n"

        text = re.sub(r' +raise NotImplementedError\("fill in (\w+)"\)\n', body, skeleton)
        text = text.replace(
            "    def info(self)", indent(dedent(self.methods).strip(), " " * 4) + "\n\n    def info(self)"
        )
        return text.replace(
            "from __future__ import annotations\n", f"from __future__ import annotations\n{self.imports}", 1
        )


DNS = Filled(
    imports="import fcntl\nimport json\nfrom contextlib import contextmanager\nfrom kubo_sdk.errors import Conflict\n",
    methods="""
        @contextmanager
        def _zone(self):
            with open(self._path, "a+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                zone = json.loads(file.read() or "{}")
                before = json.dumps(zone)
                yield zone
                if json.dumps(zone) != before:
                    file.truncate(0)
                    file.write(json.dumps(zone))
                    file.flush()

        @property
        def _path(self):
            return self._directory / "zone.json"
    """,
    bodies={
        "list_records": """
            with self._zone() as zone:
                mine = [record for owner, record in zone.values() if owner == self._owner]
            return tuple(Record(**{**record, "values": tuple(record["values"])}) for record in mine)
        """,
        "put_record": """
            key = f"{record.name.lower()} {record.type}"
            fields = {"name": record.name.lower(), "type": record.type, "values": sorted(record.values)}
            with self._zone() as zone:
                for owner, there in zone.values():
                    if there["name"] != record.name.lower():
                        continue
                    types = {there["type"], record.type}
                    if "CNAME" in types if len(types) == 2 else owner != self._owner:
                        raise Conflict(f"{there['type']} {record.name} belongs to {owner}; choose another name")
                zone[key] = (self._owner, {**fields, "ttl": record.ttl})
        """,
        "delete_record": """
            key = f"{name.lower()} {type}"
            with self._zone() as zone:
                if key in zone and zone[key][0] == self._owner:
                    del zone[key]
        """,
    },
)

CPI = Filled(
    imports=(
        "import fcntl\nimport json\nimport shutil\nimport subprocess\nimport uuid\n"
        "from contextlib import contextmanager\nfrom pathlib import Path\nfrom attrs import asdict\n"
        "from kubo_sdk.errors import NotFound, Unavailable\nfrom kubo_sdk.ports.cpi import VmState\n"
    ),
    methods="""
        @contextmanager
        def _machines(self):
            with open(self._directory / "lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield {path.parent: json.loads(path.read_text()) for path in self._directory.glob("*/vm.json")}

        def _vm(self, fields):
            given = {"cluster": ClusterId(**fields["cluster"]), "state": VmState(fields["state"]), "disks": ()}
            return Vm(**{**fields, **given, "tags": tuple(tuple(tag) for tag in fields["tags"])})
    """,
    bodies={
        "prepare": "pass",
        "dispose": "pass",
        "create_vm": """
            with self._machines() as machines:
                for fields in machines.values():
                    found = self._vm(fields)
                    if (found.cluster, found.token) == (request.cluster, request.token):
                        return found
                place = self._directory / f"{request.instance.slug}-{uuid.uuid4().hex[:12]}"
                vm = Vm(
                    id=place.name,
                    cluster=request.cluster,
                    instance=request.instance.id,
                    token=request.token,
                    state=VmState.RUNNING,
                    address="10.%d.%d.%d" % tuple(uuid.uuid4().bytes[:3]),
                    az=request.instance.az,
                    provider_id=f"directory://{place}",
                    tags=request.tags,
                )
                made = place.with_suffix(".new")
                for name in ("bin", "etc"):
                    (made / name).mkdir(parents=True)
                shutil.copy("/bin/busybox", made / "bin" / "busybox")
                for name in ("sh", "cat", "id", "true", "sleep"):
                    (made / "bin" / name).symlink_to("busybox")
                made.rename(place)
                (place / "vm.json").write_text(json.dumps(asdict(vm)))
                return vm
        """,
        "delete_vm": """
            with self._machines() as machines:
                for place in machines:
                    if place.name == vm_id:
                        shutil.rmtree(place)
        """,
        "list_vms": """
            with self._machines() as machines:
                return tuple(vm for vm in map(self._vm, machines.values()) if vm.cluster == cluster)
        """,
        "reboot_vm": """
            with self._machines() as machines:
                if vm_id not in {place.name for place in machines}:
                    raise NotFound(f"there is no machine {vm_id!r}")
        """,
        "run": """
            place = Path(self._vm.provider_id.removeprefix("directory://"))
            if not place.exists():
                raise NotFound(f"machine {self._vm.id!r} is gone")
            inside = ["chroot", str(place), *command]
            try:
                ended = subprocess.run(inside, input=stdin, capture_output=True, timeout=timeout)
            except subprocess.TimeoutExpired:
                raise Unavailable(f"machine {self._vm.id!r} did not answer within {timeout} s") from None
            return Outcome(exit_code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)
        """,
        "interact": """
            return self.run(command).exit_code
        """,
    },
)

FILLED: Mapping[str, Filled] = {"cpi": CPI, "dns": DNS}
