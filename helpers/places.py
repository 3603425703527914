"""Where in an image a package sits: with the operating system, with bundled tools, or the app."""

import re

OS, TOOLS, APP = "os", "tools", "app"
PLACES = (OS, TOOLS, APP)

_BUNDLED = re.compile(
    r"(^|/)("
    r"lib/node_modules/(npm|corepack|yarn|pnpm)"
    r"|opt/yarn[^/]*"
    r"|lib/python[\d.]+/(ensurepip|(site|dist)-packages/(pip|setuptools|wheel)\b[^/]*)"
    r")/"
)
"""Where images of Node.js and Python keep the package managers that they bring along."""


def place(package_class: str | None, path: str | None, from_base: bool | None) -> str:
    """Return where a package sits: `os`, `tools` or `app`.

    Tools are language packages of a bundled package manager, told by their path, and all others
    that are in a layer of the base image.
    """
    if package_class == "os-pkgs":
        return OS
    return TOOLS if from_base or (path and _BUNDLED.search(path)) else APP
