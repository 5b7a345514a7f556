"""Signing keys: where they live, which one signs now, what the world verifies with."""
