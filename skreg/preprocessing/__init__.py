"""Before the network: tables of numbers and categories as arrays that networks learn well from."""

from skreg.preprocessing.table import TableEncoder

__all__ = ["TableEncoder"]
