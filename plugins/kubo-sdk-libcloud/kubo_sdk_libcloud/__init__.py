"""Machines and load balancers of the clouds that apache-libcloud speaks to."""
