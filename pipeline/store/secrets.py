"""A store's address that is kept in Google Cloud's Secret Manager, so that jobs carry its name and not its password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transforms.failures import StoreError

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

SECRET = "gcp-secret:"  # noqa: S105 - what such an address begins with, no secret
_NAME = re.compile(r"projects/[a-z0-9:.-]+/secrets/[A-Za-z0-9_-]{1,255}/versions/(?:\d+|latest)")


def address_in(secret: str, client: SecretManagerServiceClient | None = None) -> str:
    """Return the address that a secret holds.

    Args:
        secret: `gcp-secret:projects/PROJECT/secrets/NAME/versions/VERSION`.
        client: To ask with; by default one with the credentials of this machine.

    Raises:
        StoreError: It is no such name, may not be read, or is not there.
    """
    name = secret.removeprefix(SECRET)
    if not _NAME.fullmatch(name):
        raise StoreError(f'"{secret}" is no secret; write {SECRET}projects/PROJECT/secrets/NAME/versions/latest')
    try:
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import secretmanager_v1
    except ModuleNotFoundError as error:
        raise StoreError(f"{SECRET} addresses need Google Cloud's libraries; install trucewatch[gcp]") from error
    try:
        asked = client or secretmanager_v1.SecretManagerServiceClient()
        answer = asked.access_secret_version(name=name, timeout=30)
    except (GoogleAPICallError, GoogleAuthError) as error:
        reason = getattr(error, "message", None) or str(error)
        raise StoreError(f"the store's address cannot be read from {name}: {reason.splitlines()[0][:200]}") from error
    return str(answer.payload.data.decode("utf-8")).strip()
