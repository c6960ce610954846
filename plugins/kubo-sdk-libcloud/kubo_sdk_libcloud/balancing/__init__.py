"""The ingress ``libcloud-lb``: the infrastructure's own load balancers in front of masters and workers."""
