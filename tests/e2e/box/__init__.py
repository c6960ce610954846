"""A cloud in a box: moto's EC2 and ELB API, with real machines, block devices and balancers behind it.  For tests."""
