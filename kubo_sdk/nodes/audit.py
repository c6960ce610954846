"""The audit policy: who did what to which object, never what was in it.  The machines' own chatter is left out."""

from __future__ import annotations

from kubo_sdk.ports.node import NodeFile

AUDIT_POLICY = "/etc/kubernetes/audit-policy.yaml"
AUDIT_LOG = "/var/log/kubernetes/audit.log"

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version"]
- level: None
  resources:
  - group: coordination.k8s.io
    resources: [leases]
  - group: ""
    resources: [events]
  - group: events.k8s.io
    resources: [events]
- level: None
  userGroups: ["system:nodes"]
  verbs: [get, list, watch]
  resources:
  - group: ""
    resources: [nodes, nodes/status, pods, services]
- level: None
  users: ["system:kube-proxy", "system:kube-scheduler", "system:kube-controller-manager", "system:apiserver"]
  verbs: [get, list, watch]
- level: Metadata
"""


def audit_policy_file() -> NodeFile:
    return NodeFile(path=AUDIT_POLICY, content=POLICY)
