"""Manifests that a Pub/Sub subscription tells of: notifications of a bucket, or messages that are the URI of a manifest.

A message is taken once per content, as a manifest in a folder is; one that names no manifest is left out, and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import apache_beam as beam
from apache_beam.io.gcp.pubsub import PubsubMessage, ReadFromPubSub

from media.inbox import content_digest
from media.manifest import KINDS

LOG = logging.getLogger(__name__)
SCHEME = "pubsub://"
WRITTEN = "OBJECT_FINALIZE"
"""The event that tells of a new object (Pub/Sub notifications for Cloud Storage, attribute `eventType`)."""


class ReadSubscription(beam.PTransform):
    """Pipeline -> (URI, SHA-256) of each manifest that `pubsub://projects/P/subscriptions/S` tells of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._subscription = source.removeprefix(SCHEME)

    def expand(self, start: beam.Pipeline) -> beam.PCollection[tuple[str, str]]:
        messages = start | "Read" >> ReadFromPubSub(subscription=self._subscription, with_attributes=True)
        return messages | "Name" >> beam.FlatMap(arrivals_of).with_output_types(tuple[str, str])


def arrivals_of(message: PubsubMessage) -> Iterator[tuple[str, str]]:
    """The manifest that a message tells of, with its content's digest."""
    uri = manifest_named(message.attributes or {}, message.data or b"")
    digest = content_digest(uri) if uri else None
    if uri is None or digest is None:
        LOG.warning("a message names no manifest that can be read: %.200r %.200r", message.data, message.attributes)
        return
    yield uri, digest


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
