"""What every worker runs beside its PowerDNS: it watches the API and answers the remote backend."""
