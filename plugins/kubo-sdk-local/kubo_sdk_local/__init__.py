"""A CPI that makes machines on this host out of Linux namespaces, with systemd as PID 1."""
