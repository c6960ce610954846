"""The key algorithms certificates may have.  Imports no cryptography, so that a config class may name them."""

from __future__ import annotations

from enum import StrEnum


class KeyAlgorithm(StrEnum):
    """Algorithm and strength of a certificate's key."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
