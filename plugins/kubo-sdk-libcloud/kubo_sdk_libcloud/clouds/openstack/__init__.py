"""OpenStack: Nova, Neutron, Cinder and Glance behind Keystone v3."""
