"""A Cloud Foundry for tests: UAA, routing API, TCP router with a real HAProxy.  README.md lists what it claims."""
