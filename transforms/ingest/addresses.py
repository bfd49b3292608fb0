"""Which network addresses may be dialled: the pure heart of the guard against server-side request forgery."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Reached only with `allow_private_networks`: this machine and networks of one's own.
_PRIVATE = tuple(
    ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
)
# Never reached: nothing that publishes news lives there, but cloud metadata and tunnels to elsewhere do. Listed by
# hand because `is_global` of older Pythons lets several of them pass (IANA's registries of special-purpose addresses).
_NEVER = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::/96", "64:ff9b:1::/48",
        "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10",
        "ff00::/8",
    )
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")


def refusal(address: str, *, allow_private: bool = False) -> str:
    """Return why `address` must not be dialled, "" if it may be.

    IPv4 addresses inside IPv6 ones (mapped, NAT64) are judged as what they lead to.

    Args:
        address: A numeric address as the resolver gives it, perhaps with a zone ("fe80::1%eth0").
        allow_private: Whether loopback and private networks are allowed.
    """
    try:
        ip = _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return f"{address[:60]!r} is not an address"
    if any(ip in net for net in _PRIVATE if net.version == ip.version):
        return "" if allow_private else f"{ip} is on this machine or a private network"
    if any(ip in net for net in _NEVER if net.version == ip.version) or not ip.is_global or ip.is_multicast:
        return f"{ip} is not a public address"
    return ""


def _unwrapped(ip: Address) -> Address:
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
