"""Requests signed for AWS (Signature Version 4) by botocore, which is needed for nothing else and so is loaded late."""

from __future__ import annotations

from gwtui.apis.base import Signature
from gwtui.transport.request import RequestError


def signed_headers(signature: Signature, method: str, url: str, body: bytes) -> tuple[tuple[str, str], ...]:
    """The headers that sign this request, as of now. Host and body are signed, and no other header.

    Raises `RequestError`.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError as error:
        raise RequestError("a request for AWS is signed by the botocore library: pip install 'gwtui[aws]'") from error
    access_key, _, rest = signature.credentials.partition(":")
    secret_key, _, token = rest.partition(":")
    if not access_key or not secret_key:
        raise RequestError("the key for AWS is not ACCESS_KEY_ID:SECRET_KEY:TOKEN")
    request = AWSRequest(method=method, url=url, data=body)
    SigV4Auth(Credentials(access_key, secret_key, token or None), signature.service, signature.region).add_auth(request)
    return tuple((str(name), str(value)) for name, value in request.headers.items())
