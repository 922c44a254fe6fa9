"""A machine with trust stores of its own: directories for `/` and home, and tools that do what the real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509

from agent.host.certificates import issue_root, new_key
from agent.host.paths import SetupPaths
from agent.host.pem import certificates_in
from agent.host.run import Completed
from agent.host.trust.store import Root, thumbprint
from agent.host.trust.stores import Machine

DONE = Completed(code=0, stdout=b"", stderr=b"")
FAILED = Completed(code=1, stdout=b"", stderr=b"it will not\n")


def a_root(number: int = 1) -> Root:
    """A root, always the same for a number."""
    return _root(number)


@cache
def _root(number: int) -> Root:
    return Root.of(issue_root(new_key(), hostname=f"laptop{number}", now=datetime.now(UTC)))


class LinuxRoots:
    """What `update-ca-certificates` makes of a directory of anchors: a `RootStore`, and a `Runner` that rebuilds it."""

    def __init__(self, anchors: Path) -> None:
        self._anchors = anchors
        self.made: tuple[bytes, ...] = (a_root(99).der,)
        self.asked: list[tuple[str, ...]] = []
        self.broken = False

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.asked.append(tuple(argv))
        if self.broken:
            return FAILED
        files = sorted(self._anchors.iterdir())
        found = [der for file in files for der in certificates_in(file.read_bytes())]
        self.made = (a_root(99).der, *found)
        return DONE

    def stamp(self) -> str:
        return str(len(self.made))

    def certificates(self) -> tuple[bytes, ...]:
        return self.made


class Keystore:
    """A `Runner` of security(1), certutil.exe or certutil(1) with one store, by the place of their arguments."""

    def __init__(self, answer: Callable[[Keystore, list[str]], Completed]) -> None:
        self.held: dict[str, str] = {}  # by thumbprint or nickname: PEM
        self.asked: list[list[str]] = []
        self.broken = False
        self._answer = answer

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.asked.append(list(argv))
        return FAILED if self.broken else self._answer(self, list(argv))


def security(store: Keystore, argv: list[str]) -> Completed:
    """security(1): trusts whatever the keychain has."""
    match argv[1]:
        case "find-certificate":
            return Completed(code=0, stdout="".join(store.held.values()).encode(), stderr=b"")
        case "add-trusted-cert":
            pem = Path(argv[-1]).read_text()
            store.held[mark_of(pem)] = pem
        case "verify-cert":
            return DONE if mark_of(Path(argv[-1]).read_text()) in store.held else FAILED
        case "delete-certificate":
            del store.held[argv[3].lower()]
    return DONE


def certutil_exe(store: Keystore, argv: list[str]) -> Completed:
    """certutil.exe."""
    if "-addstore" in argv:
        pem = Path(argv[-1]).read_text()
        store.held[mark_of(pem)] = pem
    elif "-delstore" in argv:
        del store.held[argv[-1]]
    elif argv[-2] in store.held:
        Path(argv[-1]).write_bytes(certificates_in(store.held[argv[-2]].encode())[0])
    else:
        return FAILED
    return DONE


def certutil(store: Keystore, argv: list[str]) -> Completed:
    """certutil(1) of NSS."""
    name = argv[argv.index("-n") + 1]
    match argv[1]:
        case "-A":
            store.held[name] = Path(argv[argv.index("-i") + 1]).read_text()
        case "-D":
            del store.held[name]
        case "-L" if name in store.held:
            return Completed(code=0, stdout=store.held[name].encode(), stderr=b"")
        case "-L":
            return FAILED
        case "-V":
            return DONE if name in store.held else FAILED
    return DONE


def mark_of(pem: str) -> str:
    """The thumbprint of a certificate in PEM."""
    return thumbprint(x509.load_pem_x509_certificate(pem.encode()))


def debian(directory: Path, *, privileged: bool = True) -> tuple[Machine, LinuxRoots]:
    """A Debian whose `/` is `directory`, and its root store."""
    anchors = directory / "usr/local/share/ca-certificates"
    anchors.mkdir(parents=True)
    home = directory / "home/ann"
    home.mkdir(parents=True)
    roots = LinuxRoots(anchors)
    machine = Machine(
        privileged=privileged,
        platform="linux",
        base=directory,
        home=home,
        environ={},
        runner=roots,
        store=roots,
        public=directory / "etc/drawbridge/trust",
        setup=SetupPaths.under(directory.parent / "setup", machine=privileged),
    )
    return machine, roots
