"""Ingress provider `cfrouting`: the routers of Cloud Foundry lead to masters and services."""
