"""Reads a cluster.yml, or a plain mapping, and says everything that is wrong with it at once."""

from __future__ import annotations

from kubo_sdk.config.checks import check, check_ingress, check_other_networks
from kubo_sdk.config.load import from_mapping, line_of, load, refuse
from kubo_sdk.config.networks import networks_in
from kubo_sdk.config.problem import Problem
from kubo_sdk.config.structure import structure

__all__ = [
    "Problem",
    "check",
    "check_ingress",
    "check_other_networks",
    "from_mapping",
    "line_of",
    "load",
    "networks_in",
    "refuse",
    "structure",
]
