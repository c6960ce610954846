"""Names in PowerDNS: in a server that is there already, in the cluster's own (`managed`), for pods (`cluster`)."""
