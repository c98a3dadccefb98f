"""Put a talking agent on any page of a Django site."""

from __future__ import annotations

__version__ = "0.1.0"
