"""A foreign BOSH CPI, for tests: keeps machines and disks as files in the directory named by its argument.

``config.json`` there may set: api_version (null: none is told), recognises (create_vm with a known agent id returns
that machine), unimplemented (methods), vm_quota, dynamic_address (tell it in create_vm).  ``modes/<method>`` makes the
next call of a method go wrong: retry, broken, hang, garbage, close, lost, silent, unknown, empty, wait.
"""

import fcntl
import json
import os
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(sys.argv[1])
SECRET_LOG = "connecting with password=hunter2-in-the-log to https://admin:hunter2-in-the-url@cloud\n"


class Fault(Exception):
    def __init__(self, type, message, ok_to_retry=False):
        self.content = {"type": f"Bosh::Clouds::{type}", "message": message, "ok_to_retry": ok_to_retry}


def read(kind, cid):
    try:
        return json.loads((ROOT / kind / f"{cid}.json").read_text())
    except FileNotFoundError:
        return None


def write(kind, cid, content):
    fresh = ROOT / kind / f".{cid}.{os.getpid()}"
    fresh.write_text(json.dumps(content))
    fresh.replace(ROOT / kind / f"{cid}.json")


def everything(kind):
    return {path.stem: json.loads(path.read_text()) for path in (ROOT / kind).glob("*.json")}


def vm(cid):
    found = read("vms", cid)
    if found is None:
        raise Fault("VMNotFound", f"VM '{cid}' not found")
    return found


def disk(cid):
    found = read("disks", cid)
    if found is None:
        raise Fault("DiskNotFound", f"Disk '{cid}' not found")
    return found


class Cpi:
    def __init__(self, config, version):
        self.config, self.version = config, version

    def info(self):
        told = {"stemcell_formats": ["foreign"]}
        version = self.config.get("api_version", 2)
        return told if version is None else {**told, "api_version": version}

    def create_stemcell(self, image, _properties):
        cid = f"stemcell-{uuid.uuid4()}"
        write("stemcells", cid, {"image": image})
        return cid

    def delete_stemcell(self, cid):
        (ROOT / "stemcells" / f"{cid}.json").unlink()

    def create_vm(self, agent_id, stemcell, properties, networks, disks, env):
        vms = everything("vms")
        same = [cid for cid, found in vms.items() if found["agent_id"] == agent_id]
        if same and self.config.get("recognises"):
            return self._told(same[0], networks, vms[same[0]]["address"])
        if len(vms) >= self.config.get("vm_quota", 1 << 30):
            raise Fault("CloudError", "Instance quota exceeded: 1 of 1 used")
        number = int((ROOT / "count").read_text()) + 1 if (ROOT / "count").exists() else 1
        (ROOT / "count").write_text(str(number))
        address = next((net["ip"] for net in networks.values() if "ip" in net), f"10.9.{number >> 8}.{number & 255}")
        cid = f"i-{uuid.uuid4().hex[:12]}"
        properties = {"stemcell": stemcell, "cloud_properties": properties, "networks": networks, "env": env}
        write("vms", cid, {"agent_id": agent_id, "address": address, "disks": [], "near": disks, **properties})
        return self._told(cid, networks, address)

    def _told(self, cid, networks, address):
        if self.version == 1:
            return cid
        if not self.config.get("dynamic_address", True):
            return [cid, networks]
        return [cid, {name: {**network, "ip": address} for name, network in networks.items()}]

    def delete_vm(self, cid):
        for disk_cid in vm(cid)["disks"]:
            write("disks", disk_cid, {**disk(disk_cid), "vm": None})
        (ROOT / "vms" / f"{cid}.json").unlink()

    def has_vm(self, cid):
        return read("vms", cid) is not None

    def reboot_vm(self, cid):
        write("vms", cid, {**vm(cid), "boots": vm(cid).get("boots", 0) + 1})

    def set_vm_metadata(self, cid, metadata):
        write("vms", cid, {**vm(cid), "metadata": metadata})

    def calculate_vm_cloud_properties(self, wanted):
        return {"instance_type": f"c{wanted['cpu']}.m{wanted['ram']}", "disk": wanted["ephemeral_disk_size"]}

    def create_disk(self, size, properties, near):
        cid = f"vol-{uuid.uuid4().hex[:12]}"
        write("disks", cid, {"size": size, "vm": None, "cloud_properties": properties, "near": near})
        return cid

    def delete_disk(self, cid):
        if disk(cid)["vm"]:
            raise Fault("CloudError", f"Disk '{cid}' is in use")
        (ROOT / "disks" / f"{cid}.json").unlink()

    def has_disk(self, cid):
        return read("disks", cid) is not None

    def attach_disk(self, vm_cid, cid):
        found, volume = vm(vm_cid), disk(cid)
        if volume["vm"]:
            raise Fault("CloudError", f"Disk '{cid}' is in use")
        write("vms", vm_cid, {**found, "disks": [*found["disks"], cid]})
        write("disks", cid, {**volume, "vm": vm_cid})
        return None if self.version == 1 else "/dev/sdf"

    def detach_disk(self, vm_cid, cid):
        found, volume = vm(vm_cid), disk(cid)
        if cid not in found["disks"]:
            raise Fault("DiskNotAttached", f"Disk '{cid}' is not attached to '{vm_cid}'")
        write("vms", vm_cid, {**found, "disks": [each for each in found["disks"] if each != cid]})
        write("disks", cid, {**volume, "vm": None})

    def get_disks(self, cid):
        return vm(cid)["disks"]

    def set_disk_metadata(self, cid, metadata):
        write("disks", cid, {**disk(cid), "metadata": metadata})


def take_mode(method):
    path = ROOT / "modes" / method
    try:
        mode = path.read_text()
        path.unlink()
    except FileNotFoundError:
        return ""
    return mode


def wait_for(path):
    while not path.exists():
        time.sleep(0.01)


def go_wrong(mode):
    if mode == "retry":
        raise Fault("VMCreationFailed", "the cloud is busy", True)
    if mode == "broken":
        raise Fault("CloudError", "the cloud said no and password=hunter2-in-the-message")
    if mode == "unknown":
        raise Fault("../Weather", "it rains")
    if mode == "hang":
        (ROOT / "hanging").write_text(str(os.getpid()))
        time.sleep(1000)
    if mode == "garbage":
        sys.stdout.write("Starting up...\n{not json")
        sys.exit(0)
    if mode == "close":
        os.close(1)
        sys.exit(0)
    if mode == "silent":
        sys.stderr.write("bundler: command not found: cpi\n")
        sys.exit(7)


def call(config, version, method, arguments):
    if method in config.get("unimplemented", ()):
        raise Fault("NotImplemented", f"{method} is not implemented")
    return getattr(Cpi(config, version), method)(*arguments)


def respond(mode, result, error):
    if mode == "lost":
        sys.stdout.write("Killed")
        return
    log = SECRET_LOG if mode != "empty" else ""
    sys.stdout.write(json.dumps({"result": result, "error": error, "log": log}))


def main():
    for kind in ("vms", "disks", "stemcells", "requests", "modes"):
        (ROOT / kind).mkdir(exist_ok=True)
    content = sys.stdin.buffer.read()
    request = json.loads(content)
    method, version = request["method"], request.get("api_version", 1)
    (ROOT / "requests" / f"{time.monotonic_ns():020}-{method}").write_bytes(content)
    (ROOT / "environment.json").write_text(json.dumps(dict(os.environ)))
    sys.stderr.write(SECRET_LOG)
    path = ROOT / "config.json"
    config = json.loads(path.read_text()) if path.exists() else {}
    mode = take_mode(method)
    result = error = None
    with (ROOT / "lock").open("w") as lock:
        try:
            go_wrong(mode)
            if mode == "wait":
                (ROOT / "waiting").touch()
                wait_for(ROOT / "go")
            fcntl.flock(lock, fcntl.LOCK_EX)
            result = call(config, version, method, request["arguments"])
        except Fault as fault:
            error = fault.content
    respond(mode, result, error)


main()
