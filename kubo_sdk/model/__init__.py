"""Frozen values: what the user wants and what is there.  No I/O, no clock."""
