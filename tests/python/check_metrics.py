"""Reads `/metrics` with Prometheus' own parsers, as text and as OpenMetrics with an exemplar.

Arguments: the server. Standard input: the trace of a request to `/v1/embeddings`.
"""

import json
import sys
import urllib.request

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus

# What Prometheus 3 sends.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
DURATION = "selfie_http_request_duration_seconds"


def read(server, headers):
    with urllib.request.urlopen(urllib.request.Request(f"{server}/metrics", headers=headers)) as response:
        return response.headers["content-type"], response.read().decode()


def families(parser, text):
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


server = sys.argv[1]
trace = json.load(sys.stdin)
kind, text = read(server, {})
assert kind.startswith("text/plain; version=0.0.4"), kind
plain = families(prometheus, text)
kind, text = read(server, {"accept": ACCEPT})
assert kind.startswith("application/openmetrics-text; version=1.0.0"), kind
found = families(openmetrics, text)
assert {name: family.type for name, family in found.items()} == {name: family.type for name, family in plain.items()}
assert {name: family.documentation for name, family in found.items()} == {name: family.documentation for name, family in plain.items()}
samples = lambda families: {(sample.name, *sorted(sample.labels.items())) for family in families.values() for sample in family.samples}
missing = samples(plain) - samples(found)
assert not missing, missing
exemplars = [(sample, sample.exemplar) for sample in found[DURATION].samples if sample.exemplar]
assert [exemplar.labels for _, exemplar in exemplars] == [{"trace_id": trace}], exemplars
sample, exemplar = exemplars[0]
assert sample.labels["route"] == "/v1/embeddings" and sample.value == 1, sample
assert exemplar.value <= float(sample.labels["le"]) and float(exemplar.timestamp) > 1.7e9, exemplar
print("ok")
