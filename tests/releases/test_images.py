"""Image archives: what is in them, and that they are the same every time."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest

from kubo_sdk.releases.archives import image_names, pause_name
from kubo_sdk.releases.debian_images import BUSYBOX_IMAGE, PAUSE_IMAGE, applets, write_images
from kubo_sdk.releases.images import docker_archive

FILES = {"usr/bin/tool": (b"tool", 0o755), "tmp/": (b"", 0o1777), "/etc/tool.conf": (b"x=1", 0o644)}


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar}


def content(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.extractfile(name).read()


@pytest.fixture
def archive() -> bytes:
    return docker_archive(
        "kubo.local/tool:1",
        FILES,
        links={"bin/t": "/usr/bin/tool"},
        architecture="arm64",
        entrypoint=("/usr/bin/tool",),
        environment={"B": "2", "A": "1"},
        user="65535:65535",
    )


def test_the_manifest_leads_to_config_and_layer(archive):
    (image,) = json.loads(content(archive, "manifest.json"))
    assert image["RepoTags"] == ["kubo.local/tool:1"]
    config = content(archive, image["Config"])
    assert image["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    (layer,) = image["Layers"]
    digest = hashlib.sha256(content(archive, layer)).hexdigest()
    assert json.loads(config)["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{digest}"]}


def test_the_config_says_how_the_image_is_run(archive):
    (image,) = json.loads(content(archive, "manifest.json"))
    config = json.loads(content(archive, image["Config"]))
    assert (config["architecture"], config["os"]) == ("arm64", "linux")
    assert config["config"] == {"Entrypoint": ["/usr/bin/tool"], "Env": ["A=1", "B=2"], "User": "65535:65535"}


def test_the_layer_holds_files_links_and_their_directories_first(archive):
    (image,) = json.loads(content(archive, "manifest.json"))
    layer = content(archive, image["Layers"][0])
    found = members(layer)
    assert list(found) == ["bin", "bin/t", "etc", "etc/tool.conf", "tmp", "usr", "usr/bin", "usr/bin/tool"]
    assert found["bin/t"].issym()
    assert found["bin/t"].linkname == "/usr/bin/tool"
    assert found["tmp"].isdir()
    assert (found["tmp"].mode, found["usr/bin/tool"].mode, found["etc/tool.conf"].mode) == (0o1777, 0o755, 0o644)
    assert content(layer, "usr/bin/tool") == b"tool"


def test_no_time_or_owner_of_the_maker_gets_in(archive):
    (image,) = json.loads(content(archive, "manifest.json"))
    everything = [*members(archive).values(), *members(content(archive, image["Layers"][0])).values()]
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in everything} == {(0, 0, 0, "")}


def test_the_same_content_gives_the_same_bytes_in_any_order():
    turned = dict(reversed(FILES.items()))
    assert docker_archive("a:1", FILES, architecture="amd64") == docker_archive("a:1", turned, architecture="amd64")
    assert docker_archive("a:1", FILES, architecture="amd64") != docker_archive("b:1", FILES, architecture="amd64")


def test_names_are_read_back_from_an_archive(archive, tmp_path):
    (tmp_path / "tool.tar").write_bytes(archive)
    assert image_names(tmp_path / "tool.tar") == ("kubo.local/tool:1",)
    assert pause_name(tmp_path / "tool.tar") is None


def test_names_are_read_from_an_oci_layout_too(tmp_path):
    index = {"manifests": [{"annotations": {"io.containerd.image.name": "registry.example.test:5000/x/pause:3.10"}}]}
    text = json.dumps(index).encode()
    with tarfile.open(tmp_path / "oci.tar", "w") as tar:
        member = tarfile.TarInfo("index.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    assert pause_name(tmp_path / "oci.tar") == "registry.example.test:5000/x/pause:3.10"


def test_the_images_of_the_debian_source_are_pause_and_busybox(tmp_path):
    (tmp_path / "pause").write_bytes(b"pause")
    (tmp_path / "busybox").write_bytes(b"busybox")
    (tmp_path / "applets").write_text("[\nbusybox\nhttpd\nsh\n")
    (tmp_path / "images").mkdir()
    assert write_images(tmp_path, tmp_path / "images", architecture="amd64") == ("pause.tar", "busybox.tar")
    assert pause_name(tmp_path / "images" / "pause.tar") == PAUSE_IMAGE
    assert image_names(tmp_path / "images" / "busybox.tar") == (BUSYBOX_IMAGE,)
    archive = (tmp_path / "images" / "busybox.tar").read_bytes()
    (image,) = json.loads(content(archive, "manifest.json"))
    layer = members(content(archive, image["Layers"][0]))
    assert {name for name, member in layer.items() if member.issym()} == {"bin/[", "bin/httpd", "bin/sh"}
    settings = json.loads(content(archive, image["Config"]))["config"]
    assert "Entrypoint" not in settings
    assert settings["Env"][0].startswith("PATH=/")


def test_busybox_is_no_link_to_itself():
    assert applets("busybox\nsh\nwget\n") == ("sh", "wget")
