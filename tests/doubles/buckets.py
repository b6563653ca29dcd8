"""An S3 bucket in memory, in the place of `aws.session.Session`: objects, ETags and conditional requests."""

import hashlib
import io
from collections import defaultdict

from ngp.errors import NgpError

CHANGED, GONE = "PreconditionFailed", "NoSuchKey"


class Bucket:
    """One bucket, whatever its name. `objects` are texts by key (bytes where they are no text).

    `calls` are what was asked, an operation and a key each, and `parameters` the rest of each.

    `refusals` are errors by operation, raised one after another before it is done, None for one that succeeds;
    `lost` are those raised afterwards, when the answer is lost.
    """

    def __init__(self, **objects):
        self.objects, self.calls = dict(objects), []
        self.refusals, self.lost = defaultdict(list), defaultdict(list)
        self.parameters = []

    def call(self, _service, operation, *, absent=(), Bucket, Key="", **parameters):  # noqa: N803  AWS's names
        self.calls.append((operation, Key))
        self.parameters.append(parameters)
        if self.refusals[operation] and (error := self.refusals[operation].pop(0)):
            raise error
        code, answer = getattr(self, f"_{operation}")(Key, **parameters)
        if self.lost[operation] and (error := self.lost[operation].pop(0)):
            raise error
        if code and code not in absent:
            raise NgpError("AWS refuses a call", where=f"s3://{Bucket}/{Key}", why=f"{code}: said the bucket")
        return None if code else answer

    once = call

    def steady(self):
        return self

    def keys(self, _bucket, prefix):
        return sorted(key for key in self.objects if key.startswith(prefix))

    def object(self, bucket, key):
        found = self.call("s3", "get_object", absent=(GONE,), Bucket=bucket, Key=key)
        return None if found is None else found["Body"].read()

    def delete_object(self, bucket, key):
        self.call("s3", "delete_object", Bucket=bucket, Key=key)

    def etag(self, key):
        return f'"{hashlib.md5(_bytes(self.objects[key]), usedforsecurity=False).hexdigest()}"'

    def _get_object(self, key):
        if key not in self.objects:
            return GONE, None
        return "", {"Body": io.BytesIO(_bytes(self.objects[key])), "ETag": self.etag(key)}

    def _put_object(self, key, Body, IfMatch="", IfNoneMatch="", **_):  # noqa: N803
        if (IfNoneMatch and key in self.objects) or (IfMatch and key in self.objects and self.etag(key) != IfMatch):
            return CHANGED, None
        if IfMatch and key not in self.objects:
            return GONE, None
        self.objects[key] = Body if b"\0" in Body else Body.decode()
        return "", {"ETag": self.etag(key)}

    def _delete_object(self, key, IfMatch=""):  # noqa: N803
        if IfMatch and key in self.objects and self.etag(key) != IfMatch:
            return CHANGED, None
        self.objects.pop(key, None)
        return "", {}


def _bytes(value):
    return value if isinstance(value, bytes) else value.encode()
