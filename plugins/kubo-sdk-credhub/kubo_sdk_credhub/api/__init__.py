"""The REST client of CredHub and of its token server: what goes over the wire and what comes back."""
