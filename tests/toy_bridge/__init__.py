"""An addon that uses another one where it runs."""
