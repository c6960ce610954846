"""Pure decisions: (ClusterSpec, Observation) -> Plan.  No I/O, no clock, no plugin."""
