"""Users, roles and tokens of fake etcd members."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType

from kubo_sdk.testing.fakes.etcd_asked import Asked, Json, Refusal, in_text, span_of
from kubo_sdk.testing.fakes.etcd_data import User


def _authenticate(asked: Asked) -> Json:
    if not asked.data.locked:
        raise Refusal(9, "etcdserver: authentication is not enabled")
    user = asked.data.users.get(asked.body.get("name", ""))
    if user is None or user.password is None or user.password != asked.body.get("password"):
        raise Refusal(3, "etcdserver: authentication failed, invalid user ID or password")
    token = secrets.token_hex(8)
    asked.data.tokens[token] = asked.body["name"]
    return {"token": token}


def _enable(asked: Asked) -> Json:
    if "root" not in asked.data.users or "root" not in asked.data.users["root"].roles:
        raise Refusal(9, "etcdserver: root user does not have root role")
    asked.data.locked = True
    return {}


def _disable(asked: Asked) -> Json:
    asked.require_root()
    asked.data.locked = False
    return {}


def _user(asked: Asked, name: str) -> User:
    asked.require_root()
    if name not in asked.data.users:
        raise Refusal(9, "etcdserver: user name not found")
    return asked.data.users[name]


def _user_add(asked: Asked) -> Json:
    asked.require_root()
    name = asked.body["name"]
    if name in asked.data.users:
        raise Refusal(9, "etcdserver: user name already exists")
    asked.data.users[name] = User(password=asked.body.get("password"))
    return {}


def _user_changepw(asked: Asked) -> Json:
    _user(asked, asked.body["name"]).password = asked.body["password"]
    return {}


def _user_get(asked: Asked) -> Json:
    roles = _user(asked, asked.body["name"]).roles
    return {"roles": roles} if roles else {}


def _user_grant(asked: Asked) -> Json:
    user, role = _user(asked, asked.body["user"]), asked.body["role"]
    if role not in asked.data.roles and role != "root":
        raise Refusal(9, "etcdserver: role name not found")
    if role not in user.roles:
        user.roles.append(role)
    return {}


def _role_add(asked: Asked) -> Json:
    asked.require_root()
    if asked.body["name"] in asked.data.roles:
        raise Refusal(9, "etcdserver: role name already exists")
    asked.data.roles[asked.body["name"]] = set()
    return {}


def _role_get(asked: Asked) -> Json:
    asked.require_root()
    rows = [
        {"permType": kind, "key": in_text(start), "range_end": in_text(end)}
        for (start, end), kind in sorted(asked.data.roles.get(asked.body["role"], set()))
    ]
    return {"perm": rows} if rows else {}


def _role_grant(asked: Asked) -> Json:
    asked.require_root()
    permission = asked.body["perm"]
    asked.data.roles[asked.body["name"]].add((span_of(permission), permission.get("permType", "READ")))
    return {}


def _role_revoke(asked: Asked) -> Json:
    asked.require_root()
    granted, span = asked.data.roles[asked.body["role"]], span_of(asked.body)
    granted.difference_update({each for each in granted if each[0] == span})
    return {}


USER_CALLS: Mapping[str, Callable[[Asked], Json]] = MappingProxyType(
    {
        "auth/authenticate": _authenticate,
        "auth/enable": _enable,
        "auth/disable": _disable,
        "auth/user/add": _user_add,
        "auth/user/changepw": _user_changepw,
        "auth/user/get": _user_get,
        "auth/user/grant": _user_grant,
        "auth/role/add": _role_add,
        "auth/role/get": _role_get,
        "auth/role/grant": _role_grant,
        "auth/role/revoke": _role_revoke,
    }
)
