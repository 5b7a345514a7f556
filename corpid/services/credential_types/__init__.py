"""The credential types: a file each, which ends in ``TYPE``. ``credential_catalogue`` finds them.

Names of claims follow the EU business-wallet rulebooks; the types (``vct``) are our own. What
narrows an authority (limits, services, dates, whether one person may act alone) can never be
withheld: a holder could else show the power without its limit.
"""
