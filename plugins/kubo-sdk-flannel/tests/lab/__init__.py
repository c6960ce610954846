"""A small data centre out of network namespaces: an etcd, an API server, workers and pods.  All real."""
