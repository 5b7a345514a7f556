"""RSA moduli of the ROCA flaw (CVE-2017-15361): their private keys can be computed.

The flawed generator built primes as ``k * M + 65537^a mod M`` with M a product of small primes, so
that the modulus is a power of 65537 modulo every one of these. A sound modulus is that by chance
in fewer than one case in a hundred million.
"""

_SMALL_PRIMES = [p for p in range(3, 168, 2) if all(p % d for d in range(3, p, 2))]
_POWERS = {p: frozenset(pow(65537, exponent, p) for exponent in range(p)) for p in _SMALL_PRIMES}


def is_flawed(modulus: int) -> bool:
    """Tell whether ``modulus`` bears the flaw's fingerprint."""
    return all(modulus % p in powers for p, powers in _POWERS.items())
