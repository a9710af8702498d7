"""Where secrets and personal data stand in a text, by their shape and by their check digits.

What has no shape (a name, a street) is not found. Each search begins at something rare (an `@`, a digit, a prefix of a
key), so that plain text costs little; every repetition has a bound, so that no text makes the search slow.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple


class Span(NamedTuple):
    """Something that should not leave, and its kind."""

    start: int
    end: int
    kind: str


_DOMAIN: Final = re.compile(r"[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}")
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8192}(?:-----END [A-Z ]{0,40}KEY-----)?")
_JWT: Final = re.compile(r"eyJ[\w-]{8,512}\.[\w-]{8,8192}\.[\w-]{8,4096}")
_PASSWORD_IN_ADDRESS: Final = re.compile(r"://[^\s/@:]{0,256}:([^\s/@]{1,256})@")
_BEARER: Final = re.compile(r"earer ([\w.~+/=-]{16,4096})")
# Begins of a digit's kind; what stands before them is looked at only then, which is what makes this fast.
_ADDRESS: Final = re.compile(r"[0-9](?<![\w.][0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w.]*\w)")
_ADDRESS_6: Final = re.compile(r"[0-9A-Fa-f](?<![\w:.][0-9A-Fa-f])[0-9A-Fa-f]{0,3}:[0-9A-Fa-f:]{2,39}(?![\w:])")
_DIGITS: Final = re.compile(r"[0-9](?<!\w[0-9])(?:[ -]?[0-9]){12,60}(?!\w)")
_SOCIAL: Final = re.compile(r"[0-9](?<![\w-][0-9])[0-9]{2}-[0-9]{2}-[0-9]{4}(?![\w-])")
_PHONE: Final = re.compile(r"\+[0-9](?<![\w.]\+[0-9])[0-9]{0,2}[ .()-]{0,2}(?:[0-9][ .()-]{0,2}){6,12}[0-9]")
_ACCOUNT: Final = re.compile(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9](?:[ -]?[A-Za-z0-9]){11,40}")  # behind its country
_DIGIT: Final = re.compile(r"[0-9]")
_GROUP: Final = re.compile(r"[0-9]+")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_KEY: Final = re.compile(
    r"sk-[\w-]{20,4096}|sk_(?:live|test)_\w{16,256}|rk_(?:live|test)_\w{16,256}|ghp_\w{36,255}|gho_\w{36,255}"
    r"|ghu_\w{36,255}|ghs_\w{36,255}|ghr_\w{36,255}|github_pat_\w{22,255}|glpat-[\w-]{20,255}|AKIA[0-9A-Z]{16}"
    r"|ASIA[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,4096}|xox[abeprs]-[\w-]{10,512}|xapp-[\w-]{10,512}"
    r"|hf_[A-Za-z0-9]{30,255}|npm_[A-Za-z0-9]{36,255}|pypi-[\w-]{32,512}|SG\.[\w-]{16,64}\.[\w-]{16,128}"
    r"|gsk_[A-Za-z0-9]{32,255}|dop_v1_[a-f0-9]{64}|shpat_[a-fA-F0-9]{32}|AGE-SECRET-KEY-1[0-9A-Z]{58}"
    r"|hth_[\w-]{8,256}"
)
# What is named as a secret, in lower case, up to the `=`, `:` or `is` before its value.
_NAME: Final = re.compile(
    r"(?:passw|passphrase|pwd|kennwort|secret|token|credential|api[ _-]?key|access[ _-]?key|private[ _-]?key"
    r"|account[ _-]?key|signing[ _-]?key|encryption[ _-]?key|auth[ _-]?key|master[ _-]?key)"
    r"[\w.-]{0,24}[\"'`\])*]{0,3}\s{0,8}(?:[=:]|(?<=\s)is )"
)
_PASSWORD: Final = ("passw", "passphrase", "pwd", "kennwort")
_VALUE: Final = re.compile(r"(?P<gap>[>=]?[ \t]{0,8})(?P<quote>[\"'`]?)(?P<value>[^\s\"'`]{6,512})")
_MORE: Final = re.compile(r"[^\s\"'`]*")
_NOT_A_VALUE: Final = re.compile(
    r"(?:[A-Za-z_][\w.]*[\[({<|].*|<[A-Z_]{2,11}_\d{1,6}>.*|[A-Za-z]\w*(?:\.\w+)+)\Z", re.DOTALL
)
_TYPES: Final = frozenset(
    ("string", "String", "SecretStr", "boolean", "object", "Object", "undefined", "unknown", "number", "Optional")
)
# Lengths by country: SWIFT's IBAN registry.
_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL SO OM",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT ST LY", 26: "IS TR", 27: "FR GR IT MC MR SM BI DJ",
        28: "AL AZ CY DO GT HN HU LB NI PL BY SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC",
        32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def spans(text: str) -> list[Span]:
    """What should not leave, in order, nothing of it twice; what overlaps is one."""
    found = sorted(_found(text))
    apart: list[Span] = []
    for span in found:
        if apart and span.start < apart[-1].end:
            last = apart.pop()
            kind = last.kind if last.end - last.start >= span.end - span.start else span.kind
            span = Span(last.start, max(last.end, span.end), kind)
        apart.append(span)
    return apart


def _found(text: str) -> Iterator[Span]:
    yield from _emails(text)
    yield from _keys(text)
    yield from _named(text)
    yield from _numbers(text)
    yield from _accounts(text)


def _emails(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        start = at
        while start > 0 and at - start < 64 and (text[start - 1].isalnum() or text[start - 1] in "._+-%"):
            start -= 1
        if start < at and (domain := _DOMAIN.match(text, at + 1)):
            yield Span(start, domain.end(), "EMAIL")
        at = text.find("@", at + 1)


def _keys(text: str) -> Iterator[Span]:
    for key in _KEY.finditer(text):
        if not _goes_on(text, key.start()):
            yield Span(*key.span(), "KEY")
    for pattern, kind in ((_PEM, "PRIVATE_KEY"), (_JWT, "JWT")):
        for one in pattern.finditer(text):
            yield Span(*one.span(), kind)
    for one in _PASSWORD_IN_ADDRESS.finditer(text):
        yield Span(*one.span(1), "SECRET")
    for one in _BEARER.finditer(text):
        if _has_digit(one[1]):
            yield Span(*one.span(1), "SECRET")


def _named(text: str) -> Iterator[Span]:
    """Values of what is called a secret."""
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is two: the places would not fit
        lower = "".join(character.lower() if character.isascii() else character for character in text)
    end = 0
    for name in _NAME.finditer(lower):
        if name.end() < end:
            continue
        is_password = name[0].startswith(_PASSWORD)
        if span := _value(text, name.end(), is_password=is_password, said=name[0].endswith("is ")):
            end = span.end
            yield span


def _value(text: str, start: int, *, is_password: bool, said: bool) -> Span | None:
    """A value behind its sign. `token: str` and `token = request.headers` are code; a number of tokens is none."""
    found = _VALUE.match(text, start)
    if found is None:
        return None
    value = found["value"].rstrip(",;)]}")
    quoted = bool(found["quote"])
    if len(value) < 6 or value in _TYPES or (not quoted and _NOT_A_VALUE.match(value)):
        return None
    if not _has_digit(value) and (said or not (is_password or quoted)):
        return None
    if value.isdigit() and not is_password:
        return None
    start = found.start("value")
    more = _MORE.match(text, found.end()) if len(value) == 512 else None
    return Span(start, more.end() if more else start + len(value), "SECRET")


def _numbers(text: str) -> Iterator[Span]:
    for digits in _DIGITS.finditer(text):
        yield from _cards(digits[0], digits.start())
    for address in _ADDRESS.finditer(text):
        if _is_somebodys_address(address[0]):
            yield Span(*address.span(), "IP")
    for address in _ADDRESS_6.finditer(text):
        if address[0].count(":") >= 3 and _has_digit(address[0]) and _is_somebodys_address(address[0]):
            yield Span(*address.span(), "IP")
    for phone in _PHONE.finditer(text):
        yield Span(*phone.span(), "PHONE")
    for social in _SOCIAL.finditer(text):
        if social[0][:3] not in ("000", "666") and social[0][0] != "9" and social[0][4:6] != "00":
            yield Span(*social.span(), "SSN")


def _cards(run: str, offset: int) -> Iterator[Span]:
    """Card numbers among groups of digits: an expiry date may stand behind one, and anything before it."""
    groups = [group.span() for group in _GROUP.finditer(run)]
    first = 0
    while first < len(groups):
        last = _card_from(run, groups[first : first + 19])
        if last is None:
            first += 1
            continue
        yield Span(offset + groups[first][0], offset + groups[first + last][1], "CARD")
        first += last + 1


def _card_from(run: str, groups: Sequence[tuple[int, int]]) -> int | None:
    """The last group of the longest card number that begins with the first one: 13 to 19 digits whose check digit is
    that of Luhn (ISO/IEC 7812-1)."""
    found, count, plain, doubled = None, 0, 0, 0  # the sums, were the last digit taken once or twice
    for place, (start, end) in enumerate(groups):
        for digit in map(int, run[start:end]):
            plain, doubled = doubled + digit, plain + _DOUBLED[digit]
        count += end - start
        if count > 19:
            break
        if count >= 13 and plain % 10 == 0:
            found = place
    return found


def _accounts(text: str) -> Iterator[Span]:
    for found in _ACCOUNT.finditer(text):
        start = found.start() - 2
        length = _LENGTHS.get(text[start : found.start()].upper())
        places = [place for place in range(start, found.end()) if text[place] not in " -"]
        if length is None or len(places) < length or _goes_on(text, start):
            continue
        end = places[length - 1] + 1
        if _is_account(text[start:end]) and not text[end : end + 1].isalnum():
            yield Span(start, end, "IBAN")


def _is_account(text: str) -> bool:
    """The check digits of ISO 13616: modulo 97 is 1."""
    plain = re.sub(r"[ -]", "", text)
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def _is_somebodys_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _has_digit(text: str) -> bool:
    return _DIGIT.search(text) is not None


def _goes_on(text: str, start: int) -> bool:
    """Whether a word began before this place."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")
