"""Pages by their address: which site one belongs to, and which wider sites stand above it. Standard library only."""

from urllib.parse import urlsplit


def site_of(address: str) -> str:
    """The site of a web page, such as `example.org`; empty for what is no web page's address."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host.rstrip(".") if parts.scheme in ("http", "https") else ""


def is_page(address: str) -> bool:
    """Whether this is the address of a web page."""
    return site_of(address) != ""


def named(subject: str) -> str:
    """A site as a person or a program names it, in the one form that is compared: `[::1]` and `Example.org.` too."""
    return subject.strip().lower().rstrip(".").removeprefix("[").removesuffix("]")


def with_wider(site: str) -> list[str]:
    """A site and those it is part of, nearest first: a person who says no to `example.org` means all of it."""
    parts = site.split(".")
    if ":" in site or parts[-1].isdigit():  # an address, not a name
        return [site]
    return [".".join(parts[start:]) for start in range(len(parts))]
