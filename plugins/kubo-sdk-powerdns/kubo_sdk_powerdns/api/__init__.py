"""Records by the HTTP API of PowerDNS."""
