"""Keep tests to this machine: a connection to any other address fails with a sentence."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_LOCAL_NAMES = ("localhost", "", "0.0.0.0", "::")
_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


class NetworkRefused(RuntimeError):
    """A test reached for another machine."""


def refuse_network() -> None:
    """Let sockets of this process reach loopback addresses and Unix sockets only."""
    socket.socket.connect = _checked(_connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _checked(_connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = _resolve  # type: ignore[assignment]


def allow_network() -> None:
    """Undo `refuse_network`."""
    socket.socket.connect, socket.socket.connect_ex = _connect, _connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = _getaddrinfo


def _checked(real: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _require_local(address[0])
        return real(self, address)

    return connect


def _resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
    _require_local(host.decode() if isinstance(host, bytes) else host or "")
    return _getaddrinfo(host, *args, **kwargs)


def _require_local(host: str) -> None:
    if host in _LOCAL_NAMES:
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkRefused(f"a test tried to reach {host}: tests stay on this machine")
