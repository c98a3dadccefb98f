"""The engine's HTTP side: client secrets and models, without I/O."""
