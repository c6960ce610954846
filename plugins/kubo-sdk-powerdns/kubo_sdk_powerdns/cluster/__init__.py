"""Cluster DNS: the names of Services and pods."""
