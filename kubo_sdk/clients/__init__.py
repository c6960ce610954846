"""Clients of the two servers every cluster has: etcd and the Kubernetes API."""
