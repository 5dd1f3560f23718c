"""Asynchronous Crypto Pay client."""

from .client import CryptoPay

__version__ = "0.1.12"
