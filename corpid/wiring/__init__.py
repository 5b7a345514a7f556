"""The composition root: the only place that knows every part and puts them together.

`foundation` is what the admin CLI and the service share; `service` adds the protocols.
"""
