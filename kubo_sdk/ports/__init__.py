"""The contracts between the core and its providers: a Protocol each, its values, its capability flags.

Only core values cross a port.  Every method is blocking, thread-safe and may be called twice.
"""
