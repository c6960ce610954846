"""How containerd reaches registries: mirrors, authorities, keys, and the proxy in front of them.  Pure.

Mirrors and authorities lie in hosts.toml files, which containerd reads at every pull.  Keys only its config can hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from kubo_sdk.model.preparation_spec import ProxySpec, RegistrySpec
from kubo_sdk.model.secret import Secret
from kubo_sdk.model.spec import ClusterSpec
from kubo_sdk.ports.node import NodeFile

DIRECTORY = "/etc/containerd/certs.d"
PROXY_FILE = "/etc/containerd/proxy.env"
CRI = 'plugins."io.containerd.grpc.v1.cri"'

# What images of docker.io are really pulled from.
DOCKER, DOCKER_HOST = "docker.io", "registry-1.docker.io"

NamedFiles = Mapping[Path, Secret]


def registry_files(registries: tuple[RegistrySpec, ...], named: NamedFiles) -> tuple[NodeFile, ...]:
    """A hosts.toml for each registry, and the authorities they name."""
    files = []
    for registry in registries:
        files.append(NodeFile(path=f"{_directory(registry)}/hosts.toml", content=_hosts(registry, registries)))
        if registry.ca_file is not None:
            files.append(NodeFile(path=_authority(registry), content=named[registry.ca_file].reveal_bytes()))
    return tuple(files)


def registry_config(registries: tuple[RegistrySpec, ...], named: NamedFiles) -> tuple[str, bool]:
    """The part of containerd's config about registries, and whether it holds a password."""
    if not registries:
        return "", False
    parts = [f'\n[{CRI}.registry]\n  config_path = "{DIRECTORY}"\n']
    for registry in registries:
        if registry.credentials_file is None:
            continue
        user, _, password = named[registry.credentials_file].reveal().partition(":")
        host = DOCKER_HOST if registry.host == DOCKER else registry.host
        parts.append(
            f"\n[{CRI}.registry.configs.{json.dumps(host)}.auth]\n"
            f"  username = {json.dumps(user)}\n  password = {json.dumps(password)}\n"
        )
    return "".join(parts), len(parts) > 1


def proxy_file(spec: ClusterSpec, named: NamedFiles) -> NodeFile | None:
    """What containerd is told of the proxy; None without one."""
    proxy = spec.preparation.proxy
    if not proxy.is_set:
        return None
    text = "".join(f"{key}={url.reveal()}\n" for key, url in proxy_urls(proxy, named).items())
    return NodeFile(path=PROXY_FILE, content=Secret(f"{text}no_proxy={','.join(no_proxy(spec))}\n"), mode=0o600)


def proxy_urls(proxy: ProxySpec, named: NamedFiles) -> dict[str, Secret]:
    """The proxies by the names programs read them under, with the key in them."""
    key = ""
    if proxy.credentials_file is not None:
        user, _, password = named[proxy.credentials_file].reveal().partition(":")
        key = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    found = {}
    for name, url in (("http_proxy", proxy.http), ("https_proxy", proxy.https)):
        if url:
            parts = urlsplit(url)
            found[name] = Secret(urlunsplit(parts._replace(netloc=key + parts.netloc)))
    return found


def no_proxy(spec: ClusterSpec) -> tuple[str, ...]:
    """What is never asked through the proxy: the machine itself, the cluster's own names and networks."""
    network = spec.network
    own = ("localhost", "127.0.0.0/8", f".{network.domain}", f".{spec.zone}", str(network.pods), str(network.services))
    return tuple(dict.fromkeys((*own, *spec.preparation.proxy.no_proxy)))


def _directory(registry: RegistrySpec) -> str:
    return f"{DIRECTORY}/{'_default' if registry.host == '*' else registry.host}"


def _authority(registry: RegistrySpec) -> str:
    return f"{_directory(registry)}/ca.crt"


def _hosts(registry: RegistrySpec, registries: tuple[RegistrySpec, ...]) -> str:
    """The mirrors first, then the registry itself.  A mirror's own entry tells whom to trust there."""
    authorities = {each.host: _authority(each) for each in registries if each.ca_file is not None}
    lines = []
    if registry.host != "*":
        host = DOCKER_HOST if registry.host == DOCKER else registry.host
        lines.append(f'server = "https://{host}"')
        if registry.ca_file is not None:
            lines.append(f'ca = "{_authority(registry)}"')
    for mirror in registry.mirrors:
        parts = urlsplit(mirror)
        lines += ["", f"[host.{json.dumps(mirror.rstrip('/'))}]", '  capabilities = ["pull", "resolve"]']
        if parts.path.strip("/"):
            lines.append("  override_path = true")
        if parts.netloc in authorities:
            lines.append(f'  ca = "{authorities[parts.netloc]}"')
    return "\n".join(lines).lstrip("\n") + "\n"
