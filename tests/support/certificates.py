"""Certificates for nodes under test, made by openssl: an authority, and what it signs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.beam import Folder
from tests.support.clock import UNIT

__all__ = ["Authority", "Identity", "inet_tls", "options"]


@dataclass(frozen=True)
class Identity:
    """A certificate, its key, and the authority to trust: three PEM files."""

    certificate: Path
    key: Path
    authority: Path

    def locked(self) -> Path:
        """The key once more, in a file of its own, with a passphrase."""
        path = self.key.with_suffix(".locked")
        _openssl("pkey", "-in", str(self.key), "-aes256", "-passout", "pass:hush", "-out", str(path))
        return path


class Authority:
    """Signs certificates. All files lie in one folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        _openssl(
            *("req", "-x509", *_new_key(2048), "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
            *("-keyout", str(self._key), "-out", str(self.certificate)),
        )

    def sign(self, name: str, *alternatives: str, days: int = 2, bits: int = 2048) -> Identity:
        """A certificate for hosts, written `DNS:localhost` or `IP:127.0.0.1`; with `days=-1` it is over already."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "")
        _openssl("req", *_new_key(bits), "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key)),
            *("-days", str(days), "-extfile", str(extensions), "-out", str(certificate)),
        )
        return Identity(certificate, key, self.certificate)


def options(identity: Identity) -> list[str]:
    """The options of a `pyerlcoin` command for TLS."""
    files = {"--tls-cert": identity.certificate, "--tls-key": identity.key, "--tls-ca": identity.authority}
    return [word for option, path in files.items() for word in (option, str(path))]


def inet_tls(folder: Folder, identity: Identity, versions: str = "'tlsv1.2', 'tlsv1.3'") -> list[str]:
    """Arguments of erl for TLS that is checked on both sides; the files are copied into a folder that it can read."""
    for path in (identity.certificate, identity.key, identity.authority):
        shutil.copy(path, folder.path / path.name)
    files = (
        f'{{certfile, "{folder.inside(identity.certificate.name)}"}}, {{keyfile, "{folder.inside(identity.key.name)}"}}'
        f', {{cacertfile, "{folder.inside(identity.authority.name)}"}}, {{verify, verify_peer}}'
        f", {{versions, [{versions}]}}"
    )
    (folder.path / "tls.conf").write_text(
        f"[{{server, [{files}, {{fail_if_no_peer_cert, true}}]}}, {{client, [{files}]}}].\n"
    )
    return ["-proto_dist inet_tls", f"-ssl_dist_optfile {folder.inside('tls.conf')}"]


def _new_key(bits: int) -> tuple[str, ...]:
    return ("-newkey", f"rsa:{bits}", "-nodes")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60 * UNIT)
