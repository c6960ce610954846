"""UpdateClient: signed messages to one server, and its answers in the SDK's words."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
from attrs import frozen

from kubo_sdk.errors import AuthError, ProviderError, Unavailable
from kubo_sdk.model.secret import Secret
from kubo_sdk_powerdns.busy import Failing
from kubo_sdk_powerdns.serving import NameServer

TIMEOUT = 30.0
FUDGE = 300  # seconds by which clocks may differ, as everywhere
WIDEST_FUDGE = 65535  # what a message can hold; tells a wrong clock from a wrong key
PREREQUISITE_FAILED = (dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXRRSET, dns.rcode.NXDOMAIN)


class NoZone(ProviderError):
    """The server has no such zone."""


@frozen(kw_only=True)
class UpdateClient:
    """``key_source`` says in messages where the secret came from, base64 that was checked."""

    server: NameServer
    key_name: str
    algorithm: str
    secret: Secret
    key_source: str

    def __str__(self) -> str:
        return f"the DNS server {self.server}"

    def send(self, zone: str, update: dns.update.UpdateMessage) -> bool:
        """Whether its prerequisites held, and it was done.  NoZone, AuthError, Unavailable or ProviderError else."""
        rcode = self._exchange(update).rcode()
        if rcode == dns.rcode.NOERROR:
            return True
        if rcode in PREREQUISITE_FAILED:
            return False
        raise self._error(zone, rcode)

    def transfer(self, zone: str) -> dns.zone.Zone:
        """The whole zone.  NoZone where there is none, AuthError where the key may not."""
        found = dns.zone.Zone(zone, relativize=False)
        query, _ = dns.xfr.make_query(found)
        self._sign(query)
        try:
            dns.query.inbound_xfr(
                self.server.address(), found, query, port=self.server.port, timeout=TIMEOUT, lifetime=TIMEOUT
            )
        except dns.xfr.TransferError as error:
            # Any reason is the same code to the asker; a signed question tells them apart.
            self._check_there(zone)
            raise AuthError(
                f"{self} does not let the TSIG key {self.key_name} read zone {zone} "
                f"({dns.rcode.to_text(error.rcode)}); allow the key to transfer it, by TSIG-ALLOW-AXFR in PowerDNS"
            ) from None
        except dns.tsig.PeerBadTime:
            raise self._skewed() from None
        except dns.exception.Timeout:
            raise self._unavailable("it took too long") from None
        except dns.exception.DNSException as error:
            raise self._untrusted(error) from None
        except (OSError, EOFError) as error:
            raise self._unavailable(str(error)) from None
        return found

    def _check_there(self, zone: str) -> None:
        query = dns.message.make_query(zone, dns.rdatatype.SOA, flags=0)
        answer = self._exchange(query)
        if not any(each.name == dns.name.from_text(zone) for each in answer.answer):
            raise NoZone(f"{self} has no zone {zone}; make it there, or set server to one that has it")

    def _exchange(self, message: dns.message.Message) -> dns.message.Message:
        self._sign(message)
        try:
            return dns.query.tcp(message, self.server.address(), timeout=TIMEOUT, port=self.server.port)
        except dns.exception.Timeout:
            raise self._unavailable("it took too long") from None
        except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
            raise self._skewed() from None
        except dns.exception.DNSException as error:
            raise self._untrusted(error) from None
        except EOFError:
            # So PowerDNS ends a connection whose update its database did not take.
            raise Failing(
                f"{self} takes a message and gives no answer; see its log, that its database can be written and its "
                "disk is not full"
            ) from None
        except OSError as error:
            raise self._unavailable(str(error)) from None

    def _sign(self, message: dns.message.Message, fudge: int = FUDGE) -> None:
        key = dns.tsig.Key(self.key_name, self.secret.reveal(), self.algorithm)
        message.use_tsig(key, fudge=fudge)

    def _untrusted(self, error: dns.exception.DNSException) -> ProviderError:
        """PowerDNS answers a wrong key and a wrong clock alike, without a signature."""
        if self._is_skewed():
            return self._skewed()
        if not isinstance(error, dns.tsig.PeerError | dns.tsig.BadSignature | dns.exception.FormError):
            return ProviderError(
                f"{self} gives an answer that cannot be read ({type(error).__name__}); see what runs there"
            )
        return AuthError(
            f"{self} does not accept the TSIG key {self.key_name} with {self.algorithm} from {self.key_source}; see "
            "that name, algorithm and secret are the server's, and that both clocks are right"
        )

    def _is_skewed(self) -> bool:
        """Whether the same question is trusted only when its signature allows for clocks far from each other."""
        return not self._is_trusted(FUDGE) and self._is_trusted(WIDEST_FUDGE)

    def _is_trusted(self, fudge: int) -> bool:
        query = dns.message.make_query(".", dns.rdatatype.SOA, flags=0)
        self._sign(query, fudge)
        try:
            dns.query.tcp(query, self.server.address(), timeout=TIMEOUT, port=self.server.port)
        except dns.tsig.BadTime:
            return fudge == WIDEST_FUDGE  # it was trusted there, and answered with a narrower signature
        except (dns.exception.DNSException, OSError, EOFError, Unavailable):
            return False
        return True

    def _skewed(self) -> AuthError:
        return AuthError(
            f"{self} and this host differ in time by more than {FUDGE} s, so that no signature is valid; "
            "set both clocks right"
        )

    def _unavailable(self, reason: str) -> Unavailable:
        return Unavailable(f"{self} does not answer ({reason}); see that it runs and is reachable over TCP")

    def _error(self, zone: str, rcode: dns.rcode.Rcode) -> ProviderError:
        code = dns.rcode.to_text(rcode)
        if rcode in {dns.rcode.NOTAUTH, dns.rcode.NOTZONE}:
            return NoZone(f"{self} has no zone {zone} ({code}); make it there, or set server to one that has it")
        if rcode == dns.rcode.REFUSED:
            return AuthError(
                f"{self} refuses updates of zone {zone} with the TSIG key {self.key_name}; allow them: in PowerDNS "
                "with dnsupdate, allow-dnsupdate-from and TSIG-ALLOW-DNSUPDATE, on the primary"
            )
        if rcode == dns.rcode.SERVFAIL:
            return Failing(
                f"{self} fails to update zone {zone} ({code}); see its log, that its disk is not full, and that it is "
                "not merely secondary for the zone"
            )
        return ProviderError(f"{self} does not take the update of zone {zone} ({code}); see that it supports RFC 2136")
