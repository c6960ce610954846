"""Records by dynamic updates (RFC 2136), signed with TSIG."""
