"""Where things lie on a master."""

from __future__ import annotations

AGENT = "/opt/kubo/cfrouting/agent.pyz"

CONFIG = "/etc/kubo/cfrouting"
SETTINGS = f"{CONFIG}/settings.json"
SECRET = f"{CONFIG}/client-secret"
CF_CA = f"{CONFIG}/cf-ca.crt"
CF_CERTIFICATE = f"{CONFIG}/cf-client.crt"
CF_KEY = f"{CONFIG}/cf-client.key"
# Towards the cluster's own API.
API_CA = f"{CONFIG}/api-ca.crt"
API_CERTIFICATE = f"{CONFIG}/api-client.crt"
API_KEY = f"{CONFIG}/api-client.key"
# For the routes of services.
SERVICES = f"{CONFIG}/services.json"
NATS_PASSWORD = f"{CONFIG}/nats-password"
NATS_CA = f"{CONFIG}/nats-ca.crt"
NATS_CERTIFICATE = f"{CONFIG}/nats-client.crt"
NATS_KEY = f"{CONFIG}/nats-client.key"
ACCOUNTS = "/etc/sysusers.d/kubo-cfrouting.conf"
