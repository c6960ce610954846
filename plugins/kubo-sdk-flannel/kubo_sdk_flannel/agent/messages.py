"""The netlink messages the agent speaks: pyroute2's, and one for links that knows the few attributes needed.

pyroute2's own link message takes longer to import than all its others together.
"""

from __future__ import annotations

from typing import Any

from pyroute2.netlink import nla, nlmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.ndmsg import ndmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.rtmsg import rtmsg  # type: ignore[import-untyped]

__all__ = ["build", "ifaddrmsg", "linkmsg", "ndmsg", "rtmsg"]


class linkmsg(nlmsg):  # type: ignore[misc]  # noqa: N801  named as pyroute2 names its messages
    """``struct ifinfomsg`` and what follows it."""

    prefix = "IFLA_"
    fields = (("family", "B"), ("__align", "x"), ("ifi_type", "H"), ("index", "i"), ("flags", "I"), ("change", "I"))
    nla_map = (
        (1, "IFLA_ADDRESS", "l2addr"),
        (3, "IFLA_IFNAME", "asciiz"),
        (4, "IFLA_MTU", "uint32"),
        (18, "IFLA_LINKINFO", "linkinfo"),
    )

    class linkinfo(nla):  # type: ignore[misc]  # noqa: N801
        """What kind of link it is; the settings are read for VXLAN only."""

        nla_map = ((1, "IFLA_INFO_KIND", "asciiz"), (2, "IFLA_INFO_DATA", "settings"))

        @staticmethod
        def settings(info: Any, *_: Any, **__: Any) -> Any:
            """The class that reads the settings of this kind."""
            return info.vxlan if info.get_attr("IFLA_INFO_KIND") == "vxlan" else info.hex

        class vxlan(nla):  # type: ignore[misc]  # noqa: N801
            """How a VXLAN device is set up."""

            nla_map = (
                (1, "IFLA_VXLAN_ID", "uint32"),
                (3, "IFLA_VXLAN_LINK", "uint32"),
                (4, "IFLA_VXLAN_LOCAL", "ip4addr"),
                (7, "IFLA_VXLAN_LEARNING", "uint8"),
                (15, "IFLA_VXLAN_PORT", "be16"),
            )


def build(kind: type[Any], attributes: list[tuple[str, Any]], **fields: int) -> Any:
    """A message with its header fields and attributes set."""
    made = kind()
    for name, value in fields.items():
        made[name] = value
    made["attrs"] = attributes
    return made
