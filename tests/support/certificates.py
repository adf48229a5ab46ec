"""Certificates for nodes under test, made by openssl: an authority, and what it signs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.beam import Folder
from tests.support.clock import UNIT

__all__ = ["Authority", "Identity", "inet_tls", "options"]

# What `openssl ca` wants to know.
_CONFIG = """
[ca]
default_ca = own
[own]
certificate = {certificate}
private_key = {key}
database = {issued}
new_certs_dir = {folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""


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
        key, issued = folder / f"{name}.key", folder / f"{name}.issued"
        _openssl(
            *("req", "-x509", *_new_key(2048), "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"),
            *("-keyout", str(key), "-out", str(self.certificate)),
        )
        issued.touch()
        self._config = folder / f"{name}.cnf"
        self._config.write_text(_CONFIG.format(certificate=self.certificate, key=key, issued=issued, folder=folder))

    def sign(self, name: str, *alternatives: str, expired: bool = False, bits: int = 2048) -> Identity:
        """A certificate for hosts, written `DNS:localhost` or `IP:127.0.0.1`, with an RSA key of `bits`.

        It is good for two days from now; with `expired` it was for one of 2020.
        """
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "")
        _openssl("req", *_new_key(bits), "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        # `openssl x509` is no help: new ones refuse a negative -days, and old ones know no -not_after.
        lifetime = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z") if expired else ("-days", "2")
        _openssl(
            *("ca", "-batch", "-notext", "-config", str(self._config), *lifetime),
            *("-in", str(request), "-extfile", str(extensions), "-out", str(certificate)),
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
