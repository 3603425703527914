"""Structured text as HTML, of which nothing in a value can act."""

import html

from helpers.text import escape
from helpers.text.rich import Phrase, Run, Text


def without_math(text: str) -> str:
    """Return HTML in which Jupyter typesets nothing: there, two `$` make a formula of a name.

    JupyterLab's MathJax passes over the one class, the MathJax 2 of older pages over the other:
    https://docs.mathjax.org/en/latest/options/document.html
    """
    return f'<div class="mathjax_ignore tex2jax_ignore">{text}</div>'


def inert(value: object) -> object:
    """Return what a template of a page shows of a value: HTML as it is, all else as plain text."""
    return value if hasattr(value, "__html__") else escape.plain(value)


def of_text(text: Text) -> str:
    """Return paragraphs and nested lists as HTML."""
    parts: list[str] = []
    depth = 0
    for block in text.blocks:
        if block.level == 0:
            parts.append("</li></ul>" * depth + f"<p>{of_phrase(block.phrase)}</p>")
            depth = 0
            continue
        if block.level > depth:
            parts.append("<ul>" * (block.level - depth))
        else:
            parts.append("</li>" + "</ul></li>" * (depth - block.level))
        parts.append(f"<li>{of_phrase(block.phrase)}")
        depth = block.level
    return "".join(parts) + "</li></ul>" * depth


def of_phrase(phrase: Phrase) -> str:
    """Return a phrase as inline HTML."""
    return "".join(map(_run, phrase.runs))


def _run(run: Run) -> str:
    text = html.escape(run.text)
    for tag, on in (("code", run.code), ("em", run.em), ("strong", run.strong)):
        text = f"<{tag}>{text}</{tag}>" if on else text
    return text
