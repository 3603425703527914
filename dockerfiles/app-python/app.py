"""A web server of a few lines, with a dependency in C and Rust."""

import platform
import ssl

from cryptography.hazmat.backends.openssl import backend
from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> tuple[str, dict[str, str]]:
    """Greet, and tell which libraries for TLS are at work: that of Python and that of a wheel."""
    lines = (
        f"Hello from Python {platform.python_version()}",
        f"ssl: {ssl.OPENSSL_VERSION}",
        f"cryptography: {backend.openssl_version_text()}",
    )
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain"}
