"""Manifests that a Pub/Sub subscription tells of: notifications of a bucket, or messages that are the URI of a manifest.

A message is taken once per content, as a manifest in a folder is; one that names no manifest is left out, and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub

from media import store
from media.inbox import token_of
from media.manifest import KINDS

LOG = logging.getLogger(__name__)
SCHEME = "pubsub://"
WRITTEN = "OBJECT_FINALIZE"
"""The event that tells of a new object (Pub/Sub notifications for Cloud Storage, attribute `eventType`)."""


class ReadSubscription(beam.PTransform):
    """Pipeline -> (URI, SHA-256) of each manifest that `pubsub://projects/P/subscriptions/S` tells of."""

    def __init__(self, source: str, left: Sequence[tuple[str, str]]) -> None:
        """`left` are arrivals that an earlier watch did not finish: nobody tells them again."""
        super().__init__()
        self._subscription, self._left = source.removeprefix(SCHEME), left

    def expand(self, start: beam.Pipeline) -> beam.PCollection[tuple[str, str]]:
        messages = start | "Read" >> ReadFromPubSub(subscription=self._subscription, with_attributes=True)
        told = messages | "Name" >> beam.FlatMap(arrivals_of).with_output_types(tuple[str, str])
        left = start | "Left" >> beam.Create(self._left).with_output_types(tuple[str, str])
        return (told, left) | "Both" >> beam.Flatten()


def arrivals_of(message: PubsubMessage) -> Iterator[tuple[str, str]]:
    """The manifest that a message tells of, with its token.

    Raises OSError where it cannot be read at the moment, so that the message is delivered again.
    """
    uri = manifest_named(message.attributes or {}, message.data or b"")
    try:
        if uri is not None:
            yield uri, token_of(sha256(store.read_bytes(uri)).hexdigest(), store.size_and_change(uri)[1])
            return
    except FileNotFoundError:
        pass
    LOG.warning("a message names no manifest that there is: %.200r %.200r", message.data, message.attributes)


def manifest_named(attributes: Mapping[str, str], data: bytes) -> str | None:
    """The URI in a bucket's notification, or in the text of a message; None where it is that of no manifest.

    >>> manifest_named({"eventType": "OBJECT_FINALIZE", "bucketId": "label", "objectId": "in/new.csv"}, b"{}")
    'gs://label/in/new.csv'
    >>> manifest_named({}, b"gs://label/in/new.csv")
    'gs://label/in/new.csv'
    >>> manifest_named({"eventType": "OBJECT_DELETE", "bucketId": "label", "objectId": "in/new.csv"}, b"{}")
    """
    if "eventType" in attributes:
        named = f"gs://{attributes.get('bucketId', '')}/{attributes.get('objectId', '')}"
        uri = named if attributes["eventType"] == WRITTEN else ""
    else:
        uri = data.decode(errors="replace").strip()
    hidden = uri.rpartition("/")[2].startswith(".")
    return uri if uri.lower().endswith(KINDS) and uri.isprintable() and not hidden else None
