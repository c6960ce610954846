"""The programs that run in a process of their own, because they change namespaces.  Standard library only."""
