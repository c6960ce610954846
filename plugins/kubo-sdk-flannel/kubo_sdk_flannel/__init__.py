"""Flannel's pod network: the director's half beside this file, the nodes' half in `agent`."""
