"""The image that the box's machines boot: Debian with cloud-init and an SSH server, and with what starts them.

The stemcell is a Debian in which nothing starts by itself.  What a cloud image has enabled lies in a small tree that
every machine sees: units, and the generator of cloud-init.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from kubo_sdk.ports.cpi import SharedTree

PACKAGES = ("cloud-init", "openssh-server", "sudo")
_UNITS = PurePosixPath("/usr/local/lib/systemd")
_SEED = PurePosixPath("/var/lib/cloud/seed/nocloud")
_STAGES = ("cloud-init-local", "cloud-init", "cloud-config", "cloud-final")

# As Debian's, without the choice of options by file.
_SSH = """\
[Unit]
Description=OpenBSD Secure Shell server
After=network.target

[Service]
ExecStartPre=/usr/sbin/sshd -t
ExecStart=/usr/sbin/sshd -D
KillMode=process
Restart=on-failure
RestartPreventExitStatus=255
Type=notify
RuntimeDirectory=sshd
RuntimeDirectoryMode=0755

[Install]
WantedBy=multi-user.target
Alias=sshd.service
"""
# In place of cloud-init's own, which writes down where it found the machine's data.  The rest is as on Debian's cloud
# images, but for the network, which is up before cloud-init, and locales, which the stemcell has none of.
_GENERATOR = """\
#!/bin/sh
mkdir -p "$2/multi-user.target.wants" /run/cloud-init
ln -sf /lib/systemd/system/cloud-init.target "$2/multi-user.target.wants/cloud-init.target"
echo enabled >/run/cloud-init/enabled
cat >/run/cloud-init/cloud.cfg <<EOF
datasource_list: [NoCloud, None]
manage_etc_hosts: true
network: {config: disabled}
locale: false
EOF
"""


def lay_out(home: Path) -> SharedTree:
    """Write the image's tree below *home*."""
    system = home / "system"
    _write(system / "ssh.service", _SSH)
    _link(system / "sshd.service", "ssh.service")
    _link(system / "multi-user.target.wants/ssh.service", "../ssh.service")
    for stage in _STAGES:
        _link(system / f"cloud-init.target.wants/{stage}.service", f"/lib/systemd/system/{stage}.service")
    _write(home / "system-generators/cloud-init-generator", _GENERATOR, mode=0o755)
    return SharedTree(source=home, target=_UNITS)


def lay_out_seed(home: Path, meta_data: str, user_data: str) -> SharedTree:
    """Write what one machine's cloud-init reads at its first boot below *home*."""
    _write(home / "meta-data", meta_data, mode=0o600)
    _write(home / "user-data", user_data, mode=0o600)
    return SharedTree(source=home, target=_SEED)


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
