"""Secrets of clusters in CredHub: the REST client below `api`, the credential store below `keeping`."""
