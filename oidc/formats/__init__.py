"""Credential and status formats: pure functions over bytes and text, no I/O."""
