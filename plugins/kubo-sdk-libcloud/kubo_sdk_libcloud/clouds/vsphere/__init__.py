"""VMware vSphere, by its SOAP API."""
