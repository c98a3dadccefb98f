"""What the engine answers: embedded rules, or a language model over HTTP."""
