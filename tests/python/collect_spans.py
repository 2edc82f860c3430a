"""A collector of traces that reads them by OpenTelemetry's own messages. It says its address, and then every span as a line of JSON, until its
standard input ends.

    collect_spans.py grpc|http
"""

import http.server
import json
import sys
import threading
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def values(attributes):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def plain(span, resource):
    return {
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "state": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "attributes": values(span.attributes),
        "links": [[link.trace_id.hex(), link.span_id.hex(), link.trace_state, link.flags] for link in span.links],
        "status": Status.StatusCode.Name(span.status.code),
        "message": span.status.message,
        "resource": values(resource.attributes),
    }


def take(request):
    for part in request.resource_spans:
        for scope in part.scope_spans:
            for span in scope.spans:
                print(json.dumps(plain(span, part.resource)), flush=True)
    return trace_service_pb2.ExportTraceServiceResponse()


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        return take(request)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf"), self.headers
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = take(trace_service_pb2.ExportTraceServiceRequest.FromString(body)).SerializeToString()
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def over_http():
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    print(f"http://127.0.0.1:{server.server_port}/v1/traces", flush=True)
    sys.stdin.read()
    server.shutdown()
    thread.join()


def over_grpc():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Collector(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"http://127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(grace=5).wait()


{"grpc": over_grpc, "http": over_http}[sys.argv[1]]()
