"""Logs in to a registry, with what `docker login` stored: Basic, or a token.

https://distribution.github.io/distribution/spec/auth/token/
"""

from base64 import b64encode
from urllib.parse import urlsplit

import msgspec
import requests
from msgspec import Struct
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.exceptions import HTTPError

from helpers.containers.daemon import IDENTITY_TOKEN, credentials
from helpers.errors import ImageNotFound, KitError, RegistryFailed
from helpers.images.reference import Reference
from helpers.registry.connections import Session, arriving, small

_MAX_BYTES = 2**20


class _Token(Struct):
    token: str = ""
    access_token: str = ""


class Login(AuthBase):
    """What a registry is asked with: nothing at first, then what its challenge asks for.

    Credentials go to the registry and to the token server that it names, and only over TLS or to
    this machine.
    """

    def __init__(self, session: Session, of: Reference) -> None:
        self._session = session
        self._of = of
        self._header = ""
        self._problem = ""
        self._has_credentials = False

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the credentials or the token, if any, and never a password from netrc."""
        if self._header:
            request.headers["Authorization"] = self._header
        return request

    def renew(self, challenge: str) -> None:
        """Log in as a challenge asks. Raises `RegistryFailed` if that is not safe or not known."""
        scheme, _, rest = challenge.partition(" ")
        known = self._credentials()
        self._has_credentials = known is not None
        match scheme.lower():
            case "basic":
                self._header = _basic(known)
            case "bearer":
                fields = requests.utils.parse_dict_header(rest)
                self._header = f"Bearer {self._token(fields, known)}"
            case _:
                raise self._failed(f"requires the unsupported login {scheme[:40]!r}")

    def remedy(self) -> str:
        """Return what to do if the registry refuses."""
        host = self._of.host
        if self._problem:
            return f"{self._problem}, so the kit could not log in"
        if self._has_credentials:
            return f"Check the name and the login: docker login {host}"
        return (
            f"Check the name; a private one needs: docker login {host}, or without Docker: "
            f"skopeo login --compat-auth-file ~/.docker/config.json {host}"
        )

    def _credentials(self) -> tuple[str, str] | None:
        """Return user and password; without them what is public can still be read."""
        try:
            return credentials(self._of.host)
        except KitError as error:
            self._problem = str(error)
            return None

    def _token(self, fields: dict[str, str | None], known: tuple[str, str] | None) -> str:
        """Return a token from the server that a registry's challenge names."""
        realm = str(fields.get("realm") or "")
        if not self._is_safe(realm):
            raise self._failed("uses a token server without TLS; the kit sends it no credentials")
        asked = {key: value for key in ("service", "scope") if (value := fields.get(key))}
        is_renewal = known is not None and known[0] == IDENTITY_TOKEN
        if known and is_renewal:
            asked |= {"grant_type": "refresh_token", "refresh_token": known[1]}
            asked |= {"client_id": "base-image-notebooks"}
        try:
            with self._session.ask(
                "POST" if is_renewal else "GET",
                realm,
                HTTPBasicAuth(*known) if known and not is_renewal else _no_login,
                params=None if is_renewal else asked,
                data=asked if is_renewal else None,
                allow_redirects=False,
            ) as answer:
                content = small(arriving(answer), _MAX_BYTES, self._of.host)
        except (RegistryFailed, requests.RequestException, HTTPError, OSError) as error:
            raise self._failed("uses a token server that does not answer") from error
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            raise ImageNotFound(f"{self._of.host} refuses the login. {self.remedy()}")
        try:
            found = msgspec.json.decode(content, type=_Token)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._failed("uses a token server that returned no token") from error
        token = found.token or found.access_token
        if (
            answer.status_code != requests.codes.ok
            or not token.isascii()
            or not token.isprintable()
        ):
            raise self._failed("uses a token server that returned no token")
        return token

    def _is_safe(self, realm: str) -> bool:
        """Return whether a token server may get credentials: over TLS, or the same server here."""
        try:
            url = urlsplit(realm)
        except ValueError:
            return False
        here = urlsplit(self._session.address)
        return url.scheme == "https" or (self._of.is_local and url[:2] == here[:2])

    def _failed(self, what: str) -> RegistryFailed:
        return RegistryFailed(f"{self._of.host}: the registry {what}")


def _basic(known: tuple[str, str] | None) -> str:
    """Return the header of Basic authentication; empty without credentials."""
    if not known or known[0] == IDENTITY_TOKEN:
        return ""
    return "Basic " + b64encode(":".join(known).encode()).decode()


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep `requests` from looking for a password in netrc."""
    return request
