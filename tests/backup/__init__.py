"""Backups and restores: on real files and servers, and whole ones on the fakes."""
