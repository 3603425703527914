"""The command line: its program, and the commands with modules of their own."""

from helpers.cli.program import commands, main

__all__ = ["commands", "main"]
