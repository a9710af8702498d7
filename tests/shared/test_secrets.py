import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import keyring.errors
import pytest
from pydantic import SecretStr

from hearth_shared.errors import KeyringUnavailable
from hearth_shared.secrets import Keyring, Secrets, open_keyring, variable, within
from support.tools import need

pytestmark = pytest.mark.integration


class MemoryKeyring:
    """A keyring in memory that behaves as the real ones do."""

    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not found")


class LockedKeyring(MemoryKeyring):
    """Nobody typed its password."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("locked")


class PromptingKeyring(MemoryKeyring):
    """Waits for a person who is not there."""

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None


def named(module: str, rank: float) -> Keyring:
    kind = type("Backend", (MemoryKeyring,), {"__module__": module, "priority": rank})
    return kind()


def test_a_key_is_kept_found_and_removed() -> None:
    secrets = Secrets(MemoryKeyring())
    assert secrets.get("openai") is None
    secrets.set("openai", SecretStr("k1"))
    found = secrets.get("openai")
    assert found is not None
    assert found.get_secret_value() == "k1"
    assert secrets.state("openai").kept_in == "keyring"
    assert (secrets.delete("openai"), secrets.delete("openai")) == (True, False)
    assert secrets.state("openai").kept_in == "nowhere"


def test_the_environment_goes_first_and_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = MemoryKeyring()
    ring.kept["hearth", "my-server"] = "from the keyring"
    monkeypatch.setenv("HEARTH_KEY_MY_SERVER", "from outside")
    found = Secrets(ring).get("my-server")
    assert found is not None
    assert found.get_secret_value() == "from outside"
    assert Secrets(ring).state("my-server").kept_in == "environment"


def test_without_a_keyring_keys_come_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets(None)
    assert secrets.get("openai") is None
    with pytest.raises(KeyringUnavailable, match="HEARTH_KEY_OPENAI"):
        secrets.set("openai", SecretStr("k"))
    monkeypatch.setenv("HEARTH_KEY_OPENAI", "k")
    assert secrets.state("openai").present


def test_a_locked_keyring_says_what_to_do() -> None:
    with pytest.raises(KeyringUnavailable, match=r"refused \(KeyringLocked\).*HEARTH_KEY_OPENAI"):
        Secrets(LockedKeyring()).get("openai")


def test_a_keyring_that_waits_for_a_person_holds_nobody_up() -> None:
    with pytest.raises(KeyringUnavailable, match="did not answer"):
        Secrets(PromptingKeyring(), limit=0.05).get("openai")


def test_a_failure_in_the_thread_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


@pytest.mark.parametrize(
    "module", ["keyrings.alt.file", "keyring.backends.chainer", "keyring.backends.fail", "keyring.backends.null"]
)
def test_a_keyring_that_is_not_on_the_list_is_refused_whatever_its_rank(module: str) -> None:
    with pytest.raises(KeyringUnavailable):
        open_keyring(lambda: [named(module, 99)])


def test_the_best_of_the_list_is_taken() -> None:
    weak, strong = named("keyring.backends.kwallet", 4.9), named("keyring.backends.SecretService", 5)
    assert open_keyring(lambda: [weak, named("keyrings.alt.file", 99), strong]) is strong


def test_a_search_that_hangs_is_given_up() -> None:
    def hang() -> list[Keyring]:
        threading.Event().wait()
        return []

    with pytest.raises(KeyringUnavailable):
        open_keyring(hang, limit=0.05)


def test_here_without_a_session_bus_there_is_no_keyring() -> None:
    with pytest.raises(KeyringUnavailable):
        open_keyring()


@pytest.mark.parametrize(("name", "expected"), [("openai", "OPENAI"), ("my-box.2", "MY_BOX_2"), ("é", "_")])
def test_names_become_variables(name: str, expected: str) -> None:
    assert variable(name) == f"HEARTH_KEY_{expected}"


ROUND_TRIP = """
import sys
from pydantic import SecretStr
from hearth_shared.secrets import Secrets, open_keyring

backend = open_keyring()
assert type(backend).__module__ == "keyring.backends.SecretService", type(backend).__module__
secrets, key = Secrets(backend), "tok-" + "x" * 4000
if sys.argv[1] == "write":
    secrets.set("openai", SecretStr(key))
else:
    found = secrets.get("openai")
    assert found is not None and found.get_secret_value() == key
    assert secrets.delete("openai") and secrets.get("openai") is None
"""

SESSION = """
printf test-pass | gnome-keyring-daemon --unlock --components=secrets --foreground \
  --control-directory="$XDG_RUNTIME_DIR/keyring" >ready 2>errors &
daemon=$!
for _ in $(seq 200); do  # the collection is locked until the daemon has read its password
  "$PYTHON" check.py "$1" 2>last-error && status=0 && break || status=$?
  kill -0 $daemon || break
done
kill $daemon; wait $daemon 2>/dev/null
[ $status = 0 ] || cat last-error errors >&2
exit $status
"""


@pytest.fixture
def session(tmp_path: Path) -> dict[str, str]:
    """The environment of a person with a keyring, and nothing of this machine's own session."""
    for tool in ("gnome-keyring-daemon", "dbus-daemon"):
        need(tool)
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "check.py").write_text(ROUND_TRIP)
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    places = {"HOME": tmp_path, "XDG_RUNTIME_DIR": tmp_path / "run", "XDG_DATA_HOME": tmp_path / "data"}
    return {**inherited, **{name: str(path) for name, path in places.items()}, "PYTHON": sys.executable}


def test_a_real_secret_service_keeps_a_key_over_sessions_and_not_in_clear(
    session: dict[str, str], tmp_path: Path
) -> None:
    assert shutil.which("dbus-run-session"), "comes with dbus-daemon"
    for step in ("write", "read"):
        command = ["dbus-run-session", "--", "sh", "-c", SESSION, "sh", step]
        done = subprocess.run(command, cwd=tmp_path, env=session, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        kept = (tmp_path / "data" / "keyrings" / "login.keyring").read_bytes()
        assert kept
        assert b"tok-xxxx" not in kept
