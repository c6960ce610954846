"""Managed mode: PowerDNS in the cluster's own machines.  `agent` is what is shipped to them."""

from kubo_sdk_powerdns.managed.connect import connect

__all__ = ["connect"]
