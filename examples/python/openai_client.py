"""openai_client.py ADDRESS IMAGE: the embedding from a running `selfie serve`, by OpenAI's client. Needs openai."""

import base64
import json
import sys

import openai

address, path = sys.argv[1:]
with open(path, "rb") as image:
    encoded = base64.b64encode(image.read()).decode()
# A server that was started without keys takes any.
client = openai.OpenAI(base_url=f"{address}/v1", api_key="none")
model = next(iter(client.models.list())).id
answer = client.embeddings.create(model=model, input=[encoded])
print(json.dumps(answer.data[0].embedding))
