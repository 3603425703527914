"""What only fleets need, and what to do where it is not installed."""

from importlib import import_module

from helpers.errors import KitError

_NEEDED = ("dask", "dask.dataframe", "distributed", "fsspec", "pyarrow.parquet")


def require() -> None:
    """Raise `KitError` if Dask or what it needs is not installed."""
    for name in _NEEDED:
        try:
            import_module(name)
        except ImportError as error:
            raise KitError(
                f"A fleet needs {name.partition('.')[0]}, which is not installed ({error}). "
                "Install what fleets need with: make fleet"
            ) from error
