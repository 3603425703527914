"""A subject: the questions of one notebook about some images."""

from collections.abc import Iterator

from helpers.notebook.display import Setting
from helpers.notebook.prepared_images import PreparedImages
from helpers.notebook.question import Asked


class Subject(Asked):
    """Questions of one subject about some images. Shown, it is its own index."""

    example = "Comparison"

    def __init__(self, images: PreparedImages) -> None:
        self._of = images
        self.language, self.look, self._folder = images.language, images.look, images._folder
        # `help(c.sizes)` is the index, and not a page a question.
        self.__doc__ = "\n".join(self._index())

    def __init_subclass__(cls) -> None:
        cls.example = f'Comparison("rebuilt-2026").{cls.__name__.lower()}'
        super().__init_subclass__()

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} of {self._of!r}>"

    def _index(self) -> Iterator[str]:
        """Yield the lines of `help`: what it is about, and each question."""
        yield type(self).__doc__ or ""
        yield ""
        width = max(map(len, self.questions)) + 4
        for name, each in self.questions.items():
            yield f"{name + '()':{width}}{each.asks}"

    @property
    def _source(self) -> PreparedImages:
        return self._of

    @property
    def _setting(self) -> Setting:
        return self._of._setting
