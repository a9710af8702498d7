"""Secrets and personal data as they are written, none of them real; and texts that only look alike.

Written in parts, so that no scanner takes them for real ones.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """A text, and the part of it that must not leave."""

    kind: str
    text: str
    value: str


def _alone(kind: str, *values: str) -> list[Planted]:
    return [Planted(kind, value, value) for value in values]


def _named(before: str, value: str, after: str = "") -> Planted:
    return Planted("SECRET", before + value + after, value)


_B64 = "abcdefghijklmnopqrstuvwxyz" + "0123456789ABCDEFGHIJ"
_HEX = "0123456789abcdef" * 4

PLANTED = [
    *_alone("EMAIL", "marie.dupont@example.org", "m+news_1@mail.example.co.uk", "jürgen@example.de"),
    *_alone("CARD", "4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "3782 822463 10005"),
    *_alone("CARD", "6011 1111 1111 1117", "30569309025904"),
    *_alone("IBAN", "FR7630006000011234567890189", "DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"),
    *_alone("IBAN", "NL91 ABNA 0417 1643 00", "ch93 0076 2011 6238 5295 7"),
    *_alone("IP", "10.0.0.7", "203.0.113.254", "2001:db8:0:1:1:1:1:1", "fe80::1ff:fe23:4567:890a"),
    *_alone("PHONE", "+33 6 12 34 56 78", "+1 (555) 010-9999", "+442079460958"),
    *_alone("SSN", "123-45-6789"),
    *_alone(
        "KEY", "sk-" + "proj-" + _B64, "sk-" + "ant-api03-" + _B64, "gh" + "p_" + _B64[:36], "AK" + "IAIOSFODNN7EXAMPLE"
    ),
    *_alone(
        "KEY",
        "github" + "_pat_" + _B64,
        "gl" + "pat-" + _B64[:20],
        "AI" + "za" + _B64[:35],
        "xo" + "xb-1234567890-" + _B64,
    ),
    *_alone(
        "KEY", "sk" + "_live_" + _B64[:24], "h" + "f_" + _B64[:34], "np" + "m_" + _B64[:36], "py" + "pi-AgEI" + _B64
    ),
    *_alone(
        "KEY",
        "S" + "G." + _B64[:22] + "." + _B64[:40],
        "gs" + "k_" + _B64,
        "dop" + "_v1_" + _HEX,
        "hth" + "_0123_" + _B64,
    ),
    *_alone("JWT", "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0" + ".SflKxwRJSMeKKF2QT4"),
    *_alone(
        "PRIVATE_KEY", "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEvQIBADANBg==\n-----END RSA PRIVATE " + "KEY-----"
    ),
    _named("export API_KEY=", "abc12345xyz"),
    _named('aws_secret_access_key = "', "wJalrXUtn" + "FEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", '"'),
    _named("password: ", "correct-horse-battery"),
    _named("my password is ", "hunter2hunter2"),
    _named("'client_secret': '", "a_long_word_in_quotes", "'"),
    _named("DB_PASSWORD=", "Tr0ub4dor&3"),
    _named("pwd=", "123456789"),
    _named("Authorization: Bearer ", "a1B2c3D4e5F6g7H8i9J0"),
    _named("postgres://app:", "s3cr3t-w0rd", "@localhost/app"),
    _named("the API key is ", "q8w7e6r5t4"),
]

PLAIN = [
    "4111 1111 1111 1112",
    "FR7630006000011234567890180",
    "127.0.0.1",
    "::1",
    "999.1.1.1",
    "token = request.headers",
    "token: str = read(text)",
    "password: SecretStr",
    "def login(password: str, token: Token) -> None:",
    "password = getpass.getpass('')",
    "max_tokens=1000000, input_tokens: 123456",
    "12:30:45 and std::vector and a::b",
    "2026-11-25 20:13:30",
    "call me at 5, or @ noon, a@b",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "the secret is out, and the key is simple",
    "666-45-6789 and 123-45-678",
    "chapter 1.2.3",
]
