"""FastAPI on uvicorn as people write it first: each request runs alone, on as many threads as there are processors."""

import contextlib

import anyio.to_thread
import fastapi
import uvicorn
from pipeline import OPTIONS, Pipeline

pipeline = Pipeline(threads=1)


@contextlib.asynccontextmanager
async def lifespan(_):
    anyio.to_thread.current_default_thread_limiter().total_tokens = OPTIONS["threads"]
    yield


app = fastapi.FastAPI(lifespan=lifespan)


def embed(jpeg):
    return pipeline.run([pipeline.item(jpeg)])[0].tobytes()


@app.post("/embed")
async def answer(request: fastapi.Request):
    vector = await anyio.to_thread.run_sync(embed, await request.body())
    return fastapi.Response(vector, media_type="application/octet-stream")


uvicorn.run(app, host="127.0.0.1", port=OPTIONS["port"], log_level="warning", access_log=False)
