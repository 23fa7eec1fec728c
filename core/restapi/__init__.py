"""The REST API: keys, limits, errors, idempotency and the document; resources of core's domains and of addons."""
