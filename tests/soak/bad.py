"""Clients that ask as they should not. Each ends with an error that is the client's, or with a connection that is closed."""

import base64
import json
import time
import zlib

from wire import Wire, chunk, png, png_of, request

# The server closes, or says what is wrong with the request.
REFUSED = {0, 400, 404, 405, 408, 411, 413, 414, 415, 431, 501}


def slow_loris(address, random, model):
    """A header that comes a byte at a time, on many connections at once."""
    wires = [Wire(address) for _ in range(30)]
    head = request("GET", "/v1/models")[:-2]
    try:
        for byte in head[:12]:
            for wire in wires:
                wire.send(bytes([byte]))
            time.sleep(0.5)
    except ConnectionError:
        pass
    for wire in wires:
        wire.socket.close()


def slow_body(address, random, model):
    """A body that comes in drops, and then not at all."""
    with Wire(address) as wire:
        whole = request("POST", "/v1/embeddings", png(64, 64), "image/png")
        for start in range(0, len(whole) - 20, 40):
            wire.send(whole[start : start + 40])
            time.sleep(0.1)


def stalled_body(address, random, model):
    """A body that stops, on a connection that stays."""
    whole = request("POST", "/v1/embeddings", png(64, 64), "image/png")
    return one(address, whole[:-9])


def half_body(address, random, model):
    """A client that leaves in the middle of its body."""
    with Wire(address) as wire:
        whole = request("POST", "/v1/embeddings", png(500, 500), "image/png")
        wire.send(whole[: len(whole) // 2])


def reset_while_waiting(address, random, model):
    """A client that resets its connection when the server works for it."""
    wire = Wire(address)
    image = base64.b64encode(png(300, 300)).decode()
    wire.send(request("POST", "/v1/embeddings", json.dumps({"input": [image] * 32}).encode()))
    time.sleep(random.choice([0, 0.005, 0.05]))
    wire.reset()


def leave_at_once(address, random, model):
    """A client that sends all and closes without reading."""
    with Wire(address) as wire:
        wire.send(request("POST", "/v1/classify", png(800, 600), "image/png"))


def idle_connections(address, random, model):
    """Hundreds of connections that say nothing."""
    wires = [Wire(address) for _ in range(300)]
    time.sleep(10)
    for wire in wires:
        wire.socket.close()


def one(address, data):
    with Wire(address) as wire:
        try:
            wire.send(data)
        except ConnectionError:
            pass
        return wire.answer()[0]


def deep_json(address, random, model):
    """Lists in lists, a hundred thousand times."""
    data = "[" * 100_000 + "]" * 100_000
    body = '{"inputs":[{"name":"%s","shape":[1],"datatype":"FP32","data":%s}]}' % (model["input"], data)
    path = random.choice([f"/v2/models/{model['name']}/infer", "/v1/embeddings"])
    return one(address, request("POST", path, body.encode()))


def many_lists(address, random, model):
    """Hundreds of thousands of lists, each far longer in memory than it is in JSON."""
    lists = ",".join(["[" * 100 + "]" * 100] * 5000)
    path = random.choice(["/v1/embeddings", "/v1/classify", "/v1/similarity"])
    return one(address, request("POST", path, f'{{"input": "x", "junk": [{lists}]}}'.encode()))


def overflowing_shape(address, random, model):
    """A shape whose product no machine holds, or that is negative."""
    shape = random.choice([[2**62, 2**62, 4], [2**63 - 1] * 4, [-1, 1, 1, 1], [0], [10**9, *model["shape"]]])
    described = {"name": model["input"], "shape": shape, "datatype": "FP32", "data": [1.0]}
    return one(address, request("POST", f"/v2/models/{model['name']}/infer", json.dumps({"inputs": [described]}).encode()))


def lying_lengths(address, random, model):
    """A length of the JSON, or of a tensor, that is not there."""
    head = b'{"inputs":[{"name":"%s","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":%d}}]}'
    head %= model["input"].encode(), random.choice([0, 3, 2**40, 2**63])
    length = random.choice([len(head), 10**9, 2**70, -1, 1])
    data = request(
        "POST",
        f"/v2/models/{model['name']}/infer",
        head + b"\xff\xff\xff\xff1234",
        "application/octet-stream",
        inference_header_content_length=length,
    )
    return one(address, data)


def bomb(address, random, model):
    """A body that inflates to a gigabyte."""
    return one(address, request("POST", "/v1/embeddings", BOMB, content_encoding="gzip"))


def image_bomb(address, random, model):
    """An image of many pixels in few bytes, and one whose rows are not what its header says."""
    width, height = random.choice([(60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 5), (3000, 3000)])
    return one(address, request("POST", "/v1/embeddings", png_of(width, height, BOMB_ROWS), "image/png"))


def profile_bomb(address, random, model):
    """A good image with a colour profile of a hundred megabytes in a hundred kilobytes."""
    head, body = png(8, 8)[:33], png(8, 8)[33:]
    image = head + chunk(b"iCCP", b"x\0\0" + PROFILE) + body
    status = one(address, request("POST", "/v1/classify", image, "image/png"))
    # The profile is left out, and the image answered.
    return None if status == 200 else status


def grpc_half(address, random, model):
    """Half a preface of HTTP/2, a whole one and no call, or a call with half a message, on connections that stay for a while."""
    headers = b"\x83\x86\x01\x01x\x04" + bytes([len(CALL)]) + CALL
    headers += b"\x5f\x10application/grpc" + b"\x40\x02te\x08trailers"
    half = frame(1, 4, 1, headers) + frame(0, 0, 1, b"\0" + (20_000_000).to_bytes(4, "big") + b"half")
    data = random.choice([b"", PREFACE[:11], PREFACE + frame(4, 0, 0, b""), PREFACE + frame(4, 0, 0, b"") + half])
    with Wire(model["grpc"]) as wire:
        wire.send(data)
        time.sleep(random.choice([0, 1, 8]))


def path_trick(address, random, model):
    """Paths that lead out of where they should."""
    paths = ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/models/..%2f..%2fetc", "/v2/models/%00/infer"]
    paths += ["//etc/passwd", "/console/..%5c..%5cx", "/v1/models/" + "a" * 60_000, "/\xff\xfe", "/v2/models/net/versions/-1"]
    return one(address, request("GET", random.choice(paths)))


def load_trick(address, random, model):
    """A load of a model that is no name."""
    name = random.choice(["..", "%2e%2e", "..%2f..%2fetc", ".hidden", "a%2f1", "%00"])
    return one(address, request("POST", f"/v2/repository/models/{name}/load"))


def broken_http(address, random, model):
    """What is no HTTP, or two requests in one."""
    cases = [b"\0" * 500, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9]
    cases += [b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n"]
    cases += [b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nX"]
    cases += [b"POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n"]
    cases += [b"GET /v1/models HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 5000 + b"\r\n"]
    cases += [b"GET /v1/models HTTP/1.1\r\nhost: x\r\na: " + b"b" * 500_000 + b"\r\n\r\n"]
    return one(address, random.choice(cases))


def broken_image(address, random, model):
    """An image with a byte that is another, or one that ends early."""
    image = bytearray(png(64, 64))
    image[random.randrange(8, len(image))] ^= 1 << random.randrange(8)
    status = one(address, request("POST", "/v1/classify", bytes(image[: random.randrange(8, len(image))]), "image/png"))
    # The last bytes are a checksum that a decoder may do without.
    return None if status == 200 else status


def zeros(megabytes):
    """That many megabytes of zeros, in gzip."""
    packer = zlib.compressobj(wbits=31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def frame(kind, flags, stream, body):
    """A frame of HTTP/2."""
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


BOMB = zeros(1024)
BOMB_ROWS = zlib.compress(bytes(10**6))
PROFILE = zlib.compress(bytes(10**8), 9)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CALL = b"/inference.GRPCInferenceService/ModelInfer"

# How often each comes: those that hold many connections are rare.
CLIENTS = [
    (1, slow_loris),
    (1, idle_connections),
    (2, bomb),
    (3, slow_body),
    (3, stalled_body),
    *((3, client) for client in [many_lists, profile_bomb, grpc_half]),
    *((8, client) for client in [half_body, reset_while_waiting, leave_at_once, deep_json, overflowing_shape]),
    *((8, client) for client in [lying_lengths, image_bomb, path_trick, load_trick, broken_http, broken_image]),
]
