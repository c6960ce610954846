"""Plugins: what is installed, what it offers, what is broken and why.

A plugin is a module, or an object, whose functions carry `kubo_sdk.hookimpl` and the name of a hook in
`kubo_sdk.hookspecs`.  An installed plugin is announced by an entry point of the group ``kubo_sdk``; the built-in
providers come through the same door.
"""

from __future__ import annotations

from kubo_sdk.plugins.registry import Plugins

__all__ = ["Plugins"]
