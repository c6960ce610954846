"""Plans what tells the machines apart: credentials, the endpoints in front of them, and their names."""

from __future__ import annotations

from kubo_sdk.planning.draft import Draft
from kubo_sdk.planning.plan import Effect, Verb
from kubo_sdk.planning.situation import Situation


def plan_identities(draft: Draft, situation: Situation) -> None:
    """Authorities, endpoints, certificates and published names, in this order."""
    observation, created = situation.observation, draft.ids(Verb.CREATE_VM)
    if observation.missing_authorities:
        draft.add(
            Verb.ISSUE_AUTHORITIES,
            reason=f"{len(observation.missing_authorities)} credentials are missing or outdated",
            effect=Effect.CREATE,
            # An infrastructure that cannot carry the cluster is found out before anything is made for it.
            needs=[Verb.PREPARE_INFRASTRUCTURE],
            details=observation.missing_authorities,
        )
    if created or (observation.strangers and situation.takes_away) or not observation.endpoints_current:
        draft.add(
            Verb.ENSURE_ENDPOINTS,
            reason="machines behind the endpoints change",
            effect=Effect.CHANGE,
            needs=created,
        )
    # Without endpoints nobody can tell which certificates are missing.
    if created or observation.missing_certificates or not observation.endpoints_current:
        draft.add(
            Verb.ISSUE_CERTIFICATES,
            reason="certificates of machines are missing or outdated",
            effect=Effect.CREATE,
            needs=(Verb.ISSUE_AUTHORITIES, Verb.ENSURE_ENDPOINTS, *created),
            details=observation.missing_certificates,
        )
    _names(draft, situation)


def _names(draft: Draft, situation: Situation) -> None:
    """A machine that gets a new address changes its record, and whether it does is seen only then."""
    missing, created = situation.observation.missing_names, draft.ids(Verb.CREATE_VM)
    if situation.abilities.publishes_names and (missing or created):
        draft.add(
            Verb.PUBLISH_NAMES,
            reason=f"{len(missing)} records are missing or outdated" if missing else "new machines have new addresses",
            effect=Effect.CHANGE,
            needs=(*created, Verb.ENSURE_ENDPOINTS),
            details=missing,
        )
