"""Finds secrets and personal data by their shape, masks them for the cloud, and puts them back on the way home.

What has no shape (a name, an address) is not found. Every repetition in the patterns has a bound, so that no text can
make the search slow.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable

_NAMED = r"(?:secret|token|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key)"
# The order matters: a card number is also a phone number's beginning.
_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<PRIVATE_KEY>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,40}KEY-----)?)",
            r"(?P<EMAIL>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4})",
            r"(?P<CARD>\b\d(?:[ -]?\d){12,18}\b)",
            r"(?P<IBAN>\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}\s?[A-Z0-9]{0,4}\b)",
            r"(?P<IP>\b(?:\d{1,3}\.){3}\d{1,3}\b)",
            r"(?P<PHONE>(?<![\w.])\+\d{1,3}[ .-]?(?:\d[ .-]?){6,12}\d)",
            r"(?P<KEY>\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|sk-[A-Za-z0-9_-]{20,256}|AKIA[0-9A-Z]{16}"
            r"|AIza[\w-]{35}|xox[abprs]-[\w-]{10,256}|hth_[\w-]{8,256}))",
            r"(?P<JWT>\beyJ[\w-]{8,1024}\.[\w-]{8,2048}\.[\w-]{8,1024})",
            rf"(?P<SECRET>(?i:{_NAMED}\w{{0,40}}[\"']?\s{{0,8}}[=:]\s{{0,8}}[\"']?)(?P<VALUE>[^\s\"']{{8,256}}))",
        )
    )
)
_MARK = re.compile(r"<[A-Z_]{2,11}_\d{1,6}>")
_MARK_BEGUN = re.compile(r"<(?:[A-Z][A-Z_]{0,11}\d{0,6})?$")


def _is_card(text: str) -> bool:
    """The Luhn check (ISO/IEC 7812-1)."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """The check digits of ISO 13616: modulo 97 is 1."""
    plain = re.sub(r"\s", "", text)
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _is_somebodys_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _looks_random(text: str) -> bool:
    """A value with a digit: `token = request.headers` is code, not a secret."""
    return any(character.isdigit() for character in text)


_CHECKS: dict[str, Callable[[str], bool]] = {
    "CARD": _is_card,
    "IBAN": _is_iban,
    "IP": _is_somebodys_address,
    "SECRET": _looks_random,
}


class Vault:
    """The marks of one call and what they stand for; itself a secret, never stored or logged."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts` are all that will be masked: a mark that somebody already wrote in them is not given out."""
        self._taken = {mark for text in texts for mark in _MARK.findall(text)}
        self._marks: dict[str, str] = {}
        self._values: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._values)} values)"

    def __len__(self) -> int:
        return len(self._values)

    def mask(self, text: str) -> str:
        """The text with marks in place of what should not leave; equal values get equal marks."""
        return _PATTERN.sub(self._masked, text)

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """The text with the values back in place of their marks; `in_json` escapes them as JSON strings need."""
        if not self._values:
            return text
        return _MARK.sub(lambda found: self._value(found[0], in_json), text)

    def _masked(self, found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        value = found["VALUE"] or found[0]
        if not _CHECKS.get(kind, bool)(value):
            return found[0]
        return found[0].removesuffix(value) + self._mark(kind, value)

    def _mark(self, kind: str, value: str) -> str:
        if value not in self._marks:
            number = len(self._marks) + 1
            while (mark := f"<{kind}_{number}>") in self._taken:
                number += 1
            self._taken.add(mark)
            self._marks[value], self._values[mark] = mark, value
        return self._marks[value]

    def _value(self, mark: str, in_json: bool) -> str:
        value = self._values.get(mark, mark)
        return json.dumps(value, ensure_ascii=False)[1:-1] if in_json else value


class Restorer:
    """Restores a text that comes in pieces: what may be the beginning of a mark waits for the rest of it."""

    def __init__(self, vault: Vault, *, in_json: bool = False) -> None:
        self._vault = vault
        self._in_json = in_json
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        text = self._held + piece
        begun = _MARK_BEGUN.search(text)
        cut = begun.start() if begun else len(text)
        self._held = text[cut:]
        return self._vault.restore(text[:cut], in_json=self._in_json)

    def rest(self) -> str:
        """What was waiting when the text ended."""
        held, self._held = self._held, ""
        return held


def masked(text: str) -> str:
    """The text with marks, for good: for logs and reports."""
    return Vault().mask(text)
