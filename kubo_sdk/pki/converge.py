"""Decides whether a stored credential may stay when it is generated once more.  Pure."""

from __future__ import annotations

from attrs import evolve

from kubo_sdk.ports.credentials import CertificateParameters, Parameters


def differs(stored: Parameters, wanted: Parameters) -> bool:
    """Whether *wanted* asks for another value than the one made from *stored*.

    The duration alone does not count, nor does the order of names and usages or the case of the CA's name.
    """
    return _essence(stored) != _essence(wanted)


def may_stay(*, stored: Parameters | None, wanted: Parameters, signed_by: str | None, ca: str | None) -> bool:
    """Whether the newest version may stay.

    *stored* is what it was made from, or None where somebody put it: what a person put is never replaced unasked.
    *signed_by* is the version of the CA that signed it, *ca* the newest version of the CA wanted now.
    """
    return stored is None or (signed_by == ca and not differs(stored, wanted))


def _essence(parameters: Parameters) -> Parameters:
    if not isinstance(parameters, CertificateParameters):
        return parameters
    return evolve(
        parameters,
        duration_days=0,
        ca=parameters.ca and parameters.ca.lower(),
        alternative_names=tuple(sorted(set(parameters.alternative_names))),
        key_usage=tuple(sorted(set(parameters.key_usage))),
        extended_key_usage=tuple(sorted(set(parameters.extended_key_usage))),
    )
