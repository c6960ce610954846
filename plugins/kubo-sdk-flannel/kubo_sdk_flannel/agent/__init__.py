"""The half that runs on workers: standard library and pyroute2 only, so that one zip file carries it."""
