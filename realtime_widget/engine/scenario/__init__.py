"""Sessions that go as a file says: its words, its delays and its faults."""
