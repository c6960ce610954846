"""KubernetesClient placeholder"""
class KubernetesClient: pass
