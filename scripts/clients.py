"""The official clients of the dialects against a running server: `clients.py URL ALDER_MCP_COMMAND…`."""

import asyncio
import sys

import cohere
import openai
from huggingface_hub import InferenceClient
from mcp import Client, StdioServerParameters

URL = sys.argv[1]
# The command that serves an assistant over standard input and output.
ALDER_MCP = sys.argv[2:]
TEXTS = [
    "Tea is made from leaves and hot water.",
    "The barometer was invented by Evangelista Torricelli in 1643.",
    "Wind is air that flows.",
]
QUERY = "Who invented the barometer?"


def near(a, b):
    """Whether two unit vectors are the same up to rounding."""
    return len(a) == len(b) > 0 and abs(sum(x * y for x, y in zip(a, b)) - 1) < 1e-3


def check_openai():
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none")
    model = client.models.list().data[0].id
    assert client.models.retrieve(model).id == model
    # The client asks for base64 unless told otherwise.
    packed = client.embeddings.create(model=model, input=TEXTS)
    plain = client.embeddings.create(model=model, input=TEXTS, encoding_format="float")
    assert [item.index for item in packed.data] == [0, 1, 2]
    assert all(near(a.embedding, b.embedding) for a, b in zip(packed.data, plain.data))
    assert packed.usage.total_tokens == packed.usage.prompt_tokens > 10
    try:
        client.embeddings.create(model="text-embedding-3-small", input="a")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error
    else:
        raise AssertionError("an unknown model was taken")
    try:
        client.embeddings.create(model=model, input=[[1, 2, 3]])
    except openai.BadRequestError as error:
        assert "send text" in str(error), error
    else:
        raise AssertionError("tokens of another vocabulary were taken")
    return plain.data[0].embedding


def check_cohere():
    for client in (cohere.Client("none", base_url=URL), cohere.ClientV2("none", base_url=URL)):
        reply = client.rerank(model=MODEL, query=QUERY, documents=TEXTS, top_n=2)
        assert [len(reply.results), reply.results[0].index] == [2, 1], reply
        assert 0 <= reply.results[1].relevance_score <= reply.results[0].relevance_score <= 1
    try:
        client.rerank(model="rerank-v3.5", query=QUERY, documents=TEXTS)
    except cohere.NotFoundError as error:
        assert "does not exist" in str(error.body), error
    else:
        raise AssertionError("an unknown model was taken")


def check_huggingface(embedding):
    vectors = InferenceClient(model=f"{URL}/embed").feature_extraction(TEXTS[0])
    assert near(list(vectors.reshape(-1)), embedding)
    client = InferenceClient(model=f"{URL}/v1/qa")
    answer = client.question_answering(question=QUERY, context=TEXTS[1])
    assert "Torricelli" in answer.answer, answer
    assert TEXTS[1][answer.start : answer.end] == answer.answer
    answers = client.question_answering(question=QUERY, context=TEXTS[1], top_k=3)
    assert 1 <= len(answers) <= 3 and answers[0].score >= answers[-1].score, answers


async def check_mcp(server):
    async with Client(server) as client:
        tools = await client.list_tools()
        assert [tool.name for tool in tools.tools] == ["search", "ask", "get_document", "list_collections"]
        asked = await client.call_tool("ask", {"question": "Who was the first person to walk on the Moon?"})
        hits = asked.structured_content["hits"]
        assert not asked.is_error and hits, asked
        read = await client.call_tool("get_document", {"id": hits[0]["document"]})
        assert hits[0]["text"] in read.structured_content["text"]
        listed = await client.call_tool("list_collections", {})
        assert listed.structured_content["collections"][0]["documents"] > 0
        wrong = await client.call_tool("search", {"query": ""})
        assert wrong.is_error, wrong


embedding = check_openai()
MODEL = openai.OpenAI(base_url=f"{URL}/v1", api_key="none").models.list().data[0].id
check_cohere()
check_huggingface(embedding)
asyncio.run(check_mcp(f"{URL}/mcp"))
asyncio.run(check_mcp(StdioServerParameters(command=ALDER_MCP[0], args=ALDER_MCP[1:])))
print("openai, cohere, huggingface_hub and mcp are served as by their own servers")
