"""What makes no sense across options of proxies by which mail leaves."""

from typing import Final

from angarium.config.check import Checked
from angarium.config.kinds import Place
from angarium.config.rules import report, rule

SOURCES: Final = ("ha_proxy_src_addr", "ha_proxy_ipv6_src_addr")


@rule
def haproxy_is_told_where_to_send_from(checked: Checked) -> None:
    for section in checked.sections_with("ha_proxy_server"):
        server = section.values["ha_proxy_server"]
        if isinstance(server, Place) and not server.port:
            message = f"ha_proxy_server has no port: {server}"
            report(checked, section, "ha_proxy_server", message, f"write {server}:PORT")
        # Some other stanza may have it, as a binding of its own does for one in a group.
        if server is not None and not any(checked.sections_with(name) for name in SOURCES):
            message = "ha_proxy_server has no address to send from: no host could be reached"
            report(checked, section, "ha_proxy_server", message, "set ha_proxy_src_addr")


@rule
def mail_leaves_by_one_proxy(checked: Checked) -> None:
    for section in checked.sections_with("socks_server"):
        if section.values.get("ha_proxy_server") and section.values["socks_server"]:
            message = "mail goes by ha_proxy_server, or by socks_server, not by both"
            report(checked, section, "socks_server", message, "leave one of them out")


@rule
def a_password_for_socks_has_a_name(checked: Checked) -> None:
    for section in checked.sections_with("socks_pass"):
        user = section.values.get("socks_user")
        password = section.values["socks_pass"]
        outer = section.parent
        if user is None and outer is not None:
            user = outer.values.get("socks_user")
        if not user:
            message = "socks_pass has no socks_user: nobody would be told it"
            report(checked, section, "socks_pass", message, "set socks_user")
        elif len(str(user).encode()) > 255 or len(str(password).encode()) > 255:
            message = "names and passwords of SOCKS have 255 octets at most (RFC 1929)"
            report(checked, section, "socks_pass", message)
