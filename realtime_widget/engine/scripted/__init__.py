"""Parts that need nothing installed and always do the same: for tests of any client."""
