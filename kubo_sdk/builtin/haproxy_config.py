"""HAProxy's configuration as text: one front end and one back end for each endpoint of a cluster.  Pure."""

from __future__ import annotations

from attrs import field, frozen, validators

from kubo_sdk.ports.ingress import Backend, EndpointRequest, Health

CONFIG = "/etc/haproxy/haproxy.cfg"
CLUSTER_CA = "/etc/haproxy/kubernetes-ca.crt"
STATS_SOCKET = "/run/haproxy/admin.sock"

KUBE_PROXY_HEALTH_PORT = 10256
# In every API server's certificate, whatever its addresses are.
API_SERVER_NAME = "kubernetes.default.svc"

# What /readyz says: all is well, or the API server shuts down; and any other check that failed.
WELL_OR_SHUTDOWN = r"^ok|\[-\]shutdown failed"
FAILED_BUT_SHUTDOWN = r"\[-\](?!shutdown failed)"

# A node port whose service has no pods is refused by an ICMP message about a TCP connection.  On recent kernels
# HAProxy 2.6 hears it, goes on waiting, and spins until its connect timeout.  So the message is dropped on the way in.
REFUSALS = "/etc/haproxy/refusals.nft"
REFUSALS_RULES = """\
table ip kubo_haproxy
delete table ip kubo_haproxy
table ip kubo_haproxy {
  chain input {
    type filter hook input priority filter;
    icmp type destination-unreachable icmp code port-unreachable @th,136,8 6 drop comment "about TCP"
  }
}
"""

_positive = validators.ge(1)


@frozen(kw_only=True)
class HaproxyConfig:
    """Options of the provider ``haproxy``.

    ``check_interval_ms``: how often a machine that is well is asked; one that is not is asked twice as often.
    ``check_timeout_ms``: how long it may take to answer.
    ``connect_timeout_ms``: how long a machine may take to accept a connection before another is tried.
    ``idle_timeout_seconds``: how long a connection may be silent: a watch, or a shell nobody types in.
    ``threads``: one carries some ten thousand requests a second.
    ``open_files``: every connection takes two.
    """

    check_interval_ms: int = field(default=500, validator=_positive)
    check_timeout_ms: int = field(default=3000, validator=_positive)
    connect_timeout_ms: int = field(default=1000, validator=_positive)
    idle_timeout_seconds: int = field(default=86400, validator=_positive)
    threads: int = field(default=1, validator=_positive)
    open_files: int = field(default=65536, validator=validators.ge(8192))


def haproxy_config(config: HaproxyConfig, endpoints: tuple[EndpointRequest, ...]) -> str:
    """The whole file.  The number of connections follows from the limit of open files."""
    head = f"""\
global
  nbthread {config.threads}
  stats socket {STATS_SOCKET} mode 600 level admin expose-fd listeners
  # After a reload the old process goes on with its connections for so long.
  hard-stop-after 60s

defaults
  mode tcp
  timeout connect {config.connect_timeout_ms}ms
  timeout check {config.check_timeout_ms}ms
  timeout client 60s
  timeout server 60s
  timeout client-fin 30s
  timeout server-fin 30s
  timeout tunnel {config.idle_timeout_seconds}s
  # A peer that vanished is noticed after two minutes, however long a connection may be silent.
  option clitcpka
  option srvtcpka
  clitcpka-idle 60s
  clitcpka-intvl 10s
  clitcpka-cnt 6
  srvtcpka-idle 60s
  srvtcpka-intvl 10s
  srvtcpka-cnt 6
  # A refused connection goes to the next machine at once; with any other balance it would wait for a second.
  balance roundrobin
  retries 3
  option redispatch 1
"""
    return "\n".join((head, *(_endpoint(config, endpoint) for endpoint in endpoints)))


def _endpoint(config: HaproxyConfig, endpoint: EndpointRequest) -> str:
    check = _api_check() if endpoint.health is Health.HTTPS_READYZ else _kube_proxy_check()
    pace = max(config.check_interval_ms // 2, 1)
    lines = [
        f"frontend {endpoint.name}",
        f"  bind :{_ports(endpoint)}",
        f"  default_backend {endpoint.name}",
        "",
        f"backend {endpoint.name}",
        *(f"  {line}" for line in check),
        f"  default-server inter {config.check_interval_ms}ms fastinter {pace}ms downinter {pace}ms fall 2 rise 1",
        # What fails in use is asked sooner.  Taking it out for that would end the connection that could be retried.
        "  default-server observe layer4 error-limit 1 on-error fastinter",
        *(f"  server {_name(backend)} {backend.address}{_port(endpoint)}" for backend in endpoint.backends),
    ]
    return "".join(f"{line}\n" for line in lines)


def _api_check() -> tuple[str, ...]:
    """An API server must prove who it is and say that it can serve.

    One that says it is shutting down still serves: it gets no new connections, and those it has go on.  Watches leave
    one that cannot serve or does not answer, to start anew.  The price: a connection that is being made to that one in
    that very moment is ended too, where it could be redispatched.  HAProxy has no way to tell them apart.
    """
    return (
        "option httpchk GET /readyz",
        f'http-check expect ! rstring "{FAILED_BUT_SHUTDOWN}"',
        f'http-check expect rstring "{WELL_OR_SHUTDOWN}"',
        "http-check expect error-status L7OKC status 200",
        f"default-server check check-ssl verify required ca-file {CLUSTER_CA} verifyhost {API_SERVER_NAME}",
        "default-server on-marked-down shutdown-sessions",
    )


def _kube_proxy_check() -> tuple[str, ...]:
    """A worker gets traffic for node ports while its kube-proxy programs them."""
    return (
        "option httpchk GET /healthz",
        "http-check expect status 200",
        f"default-server check port {KUBE_PROXY_HEALTH_PORT}",
    )


def _ports(endpoint: EndpointRequest) -> str:
    first, last = endpoint.ports
    return str(first) if first == last else f"{first}-{last}"


def _port(endpoint: EndpointRequest) -> str:
    """Without a port HAProxy connects to the one the client came to."""
    first, last = endpoint.ports
    return f":{first}" if first == last else ""


def _name(backend: Backend) -> str:
    return backend.instance.replace("/", "-")
