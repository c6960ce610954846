"""Who may do what in etcd: root, the API servers under their own prefix, the overlay under its own."""
