"""Sign the models that come with the package: ``python -m touchline.sign_release``, or ``make sign``.

The key lives as long as this command. What is shipped is trusted because the public half is shipped with it, and
nobody can sign anything else with the private half afterwards.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.artefact import SHIPPED, load_artefact, versions
from models.signature import sign, write_public
from touchline.terminal import console

RELEASE = "release.pub"


def main() -> None:
    """Check every shipped version's hashes, sign it, and write the public key."""
    key = Ed25519PrivateKey.generate()
    for name in sorted(entry.name for entry in SHIPPED.iterdir() if entry.is_dir()):
        for version in versions(SHIPPED, name):
            load_artefact(SHIPPED / name / version)
            console.print(f"{name} {version}: signed with {sign(SHIPPED / name / version, key)}")
    write_public(SHIPPED / RELEASE, key.public_key())


if __name__ == "__main__":
    main()
