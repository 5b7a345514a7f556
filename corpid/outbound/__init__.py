"""Reaching other people's servers, within bounds; what the protocols ask as ``oidc.ports``."""
