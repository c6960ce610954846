"""A stand-in for CredHub and its UAA, for tests: README.md beside this file lists what it claims to do."""
